# Sallyport: security groups. They let answers pass by themselves and deny what no rule names. A group stands at a
# host, not between networks: attach firewall 1's groups to the hosts inside that their names say, edge_host to the
# edge, and firewall 2's to a load balancer before it, if there is one: what they allow is in edge_host too.
# A host is only as closed as all its groups together. The groups do not filter neighbour discovery. What backends
# reach inside (their upstreams, name servers) needs groups of its own.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "vpc_id" {
  description = "The VPC that the groups are made in."
  type        = string
}

# Sallyport: firewall 1, between the inside and the DMZ.
# Only the inside opens connections, to the edge's port. Everything else that would pass is dropped.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
resource "aws_security_group" "sallyport_firewall_1_10_0_0_11" {
  name        = "sallyport-firewall-1-10-0-0-11"
  description = "Sallyport: attach to 10.0.0.11"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_1_10_0_0_11_fw1_icmp_errors" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_11.id
  description       = "fw1-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# the master dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_master_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_11.id
  description       = "fw1-master-to-192-0-2-10-443: the master dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.10/32"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group" "sallyport_firewall_1_10_0_0_12" {
  name        = "sallyport-firewall-1-10-0-0-12"
  description = "Sallyport: attach to 10.0.0.12"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_1_10_0_0_12_fw1_icmp_errors" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_12.id
  description       = "fw1-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# storage node node-10-0-0-12 dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_node_10_0_0_12_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_12.id
  description       = "fw1-node-10-0-0-12-to-192-0-2-10-443: storage node node-10-0-0-12 dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.10/32"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# Sallyport: firewall 2, between the DMZ and the internet.
# Only devices open connections, to the edge's port. Everything else that would pass is dropped.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
resource "aws_security_group" "sallyport_firewall_2_192_0_2_10" {
  name        = "sallyport-firewall-2-192-0-2-10"
  description = "Sallyport: attach to 192.0.2.10"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_2_192_0_2_10_fw2_icmp_errors" {
  security_group_id = aws_security_group.sallyport_firewall_2_192_0_2_10.id
  description       = "fw2-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# devices reach the edge on its one port
resource "aws_vpc_security_group_ingress_rule" "fw2_clients_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_firewall_2_192_0_2_10.id
  description       = "fw2-clients-to-192-0-2-10-443: devices reach the edge on its one port"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# Sallyport: the host of edge-192-0-2-10.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
resource "aws_security_group" "sallyport_edge_host_edge_192_0_2_10" {
  name        = "sallyport-edge-host-edge-192-0-2-10"
  description = "Sallyport: attach to the edge edge-192-0-2-10"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_edge_host_edge_192_0_2_10_host_in_icmp_errors" {
  security_group_id = aws_security_group.sallyport_edge_host_edge_192_0_2_10.id
  description       = "host-in-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# devices and backends reach the one port
resource "aws_vpc_security_group_ingress_rule" "host_in_clients_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_edge_host_edge_192_0_2_10.id
  description       = "host-in-clients-to-192-0-2-10-443: devices and backends reach the one port"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
