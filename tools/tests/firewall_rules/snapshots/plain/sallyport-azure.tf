# Sallyport: network security groups. They let answers pass by themselves; what no rule names is denied by the last two
# of each group, which stand before Azure's own AllowVnetInBound, AllowVnetOutBound and AllowInternetOutBound.
# Associate firewall_1 with the subnet of the backends, edge_host with the edge's network interface, and firewall_2 with
# the subnet of what stands before the edge, if there is something: what it allows is in edge_host too. Azure filters
# neither neighbour discovery nor path MTU errors with these groups. What backends reach inside (their upstreams, name
# servers) needs rules of its own in firewall_1.

terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.0"
    }
  }
}

variable "location" {
  description = "The region that the groups are made in."
  type        = string
}

variable "resource_group_name" {
  description = "The resource group that they are made in."
  type        = string
}

# Sallyport: firewall 1, between the inside and the DMZ.
# Only the inside opens connections, to the edge's port. Everything else that would pass is dropped.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
resource "azurerm_network_security_group" "sallyport_firewall_1" {
  name                = "sallyport-firewall-1"
  location            = var.location
  resource_group_name = var.resource_group_name

  # the master dials the edge; the inside opens every connection
  security_rule {
    name                       = "fw1-master-to-192-0-2-10-443"
    description                = "fw1-master-to-192-0-2-10-443: the master dials the edge; the inside opens every connection"
    priority                   = 100
    direction                  = "Outbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "10.0.0.11/32"
    source_port_range          = "*"
    destination_address_prefix = "192.0.2.10/32"
    destination_port_range     = "443"
  }

  # storage node node-10-0-0-12 dials the edge; the inside opens every connection
  security_rule {
    name                       = "fw1-node-10-0-0-12-to-192-0-2-10-443"
    description                = "fw1-node-10-0-0-12-to-192-0-2-10-443: storage node node-10-0-0-12 dials the edge; the inside opens every connection"
    priority                   = 110
    direction                  = "Outbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "10.0.0.12/32"
    source_port_range          = "*"
    destination_address_prefix = "192.0.2.10/32"
    destination_port_range     = "443"
  }

  # default drop: whatever no rule above names
  security_rule {
    name                       = "drop-everything-else-inbound"
    description                = "default drop: whatever no rule above names"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }

  # default drop: whatever no rule above names
  security_rule {
    name                       = "drop-everything-else-outbound"
    description                = "default drop: whatever no rule above names"
    priority                   = 4096
    direction                  = "Outbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

# Sallyport: firewall 2, between the DMZ and the internet.
# Only devices open connections, to the edge's port. Everything else that would pass is dropped.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
resource "azurerm_network_security_group" "sallyport_firewall_2" {
  name                = "sallyport-firewall-2"
  location            = var.location
  resource_group_name = var.resource_group_name

  # devices reach the edge on its one port
  security_rule {
    name                       = "fw2-clients-to-192-0-2-10-443"
    description                = "fw2-clients-to-192-0-2-10-443: devices reach the edge on its one port"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "192.0.2.10/32"
    destination_port_range     = "443"
  }

  # default drop: whatever no rule above names
  security_rule {
    name                       = "drop-everything-else-inbound"
    description                = "default drop: whatever no rule above names"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }

  # default drop: whatever no rule above names
  security_rule {
    name                       = "drop-everything-else-outbound"
    description                = "default drop: whatever no rule above names"
    priority                   = 4096
    direction                  = "Outbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

# Sallyport: the host of edge-192-0-2-10.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
resource "azurerm_network_security_group" "sallyport_edge_host_edge_192_0_2_10" {
  name                = "sallyport-edge-host-edge-192-0-2-10"
  location            = var.location
  resource_group_name = var.resource_group_name

  # devices and backends reach the one port
  security_rule {
    name                       = "host-in-clients-to-192-0-2-10-443"
    description                = "host-in-clients-to-192-0-2-10-443: devices and backends reach the one port"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "192.0.2.10/32"
    destination_port_range     = "443"
  }

  # default drop: whatever no rule above names
  security_rule {
    name                       = "drop-everything-else-inbound"
    description                = "default drop: whatever no rule above names"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }

  # default drop: whatever no rule above names
  security_rule {
    name                       = "drop-everything-else-outbound"
    description                = "default drop: whatever no rule above names"
    priority                   = 4096
    direction                  = "Outbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}
