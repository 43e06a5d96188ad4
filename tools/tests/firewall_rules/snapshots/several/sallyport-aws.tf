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

# master hq dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_hq_10_0_0_11_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_11.id
  description       = "fw1-hq-10-0-0-11-to-192-0-2-10-443: master hq dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.10/32"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# master hq dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_hq_10_0_0_11_to_192_0_2_11_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_11.id
  description       = "fw1-hq-10-0-0-11-to-192-0-2-11-8443: master hq dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.11/32"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

resource "aws_security_group" "sallyport_firewall_1_10_0_0_21" {
  name        = "sallyport-firewall-1-10-0-0-21"
  description = "Sallyport: attach to 10.0.0.21"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_1_10_0_0_21_fw1_icmp_errors" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_21.id
  description       = "fw1-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# master hq dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_hq_10_0_0_21_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_21.id
  description       = "fw1-hq-10-0-0-21-to-192-0-2-10-443: master hq dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.10/32"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# master hq dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_hq_10_0_0_21_to_192_0_2_11_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_21.id
  description       = "fw1-hq-10-0-0-21-to-192-0-2-11-8443: master hq dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.11/32"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
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

# storage node node-a dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_node_a_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_12.id
  description       = "fw1-node-a-to-192-0-2-10-443: storage node node-a dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.10/32"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# storage node node-a dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_node_a_to_192_0_2_11_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_12.id
  description       = "fw1-node-a-to-192-0-2-11-8443: storage node node-a dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.11/32"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

resource "aws_security_group" "sallyport_firewall_1_2001_db8_1__11" {
  name        = "sallyport-firewall-1-2001-db8-1--11"
  description = "Sallyport: attach to 2001:db8:1::11"
  vpc_id      = var.vpc_id
}

# IPv6 routers never fragment: without packet-too-big large packets vanish
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_1_2001_db8_1__11_fw1_icmpv6_errors" {
  security_group_id = aws_security_group.sallyport_firewall_1_2001_db8_1__11.id
  description       = "fw1-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish"
  cidr_ipv6         = "::/0"
  ip_protocol       = "icmpv6"
  from_port         = 2
  to_port           = 0
}

# master hq dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_hq_to_2001_db8__20_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_2001_db8_1__11.id
  description       = "fw1-hq-to-2001-db8--20-8443: master hq dials the edge; the inside opens every connection"
  cidr_ipv6         = "2001:db8::20/128"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

resource "aws_security_group" "sallyport_firewall_1_2001_db8_1__12" {
  name        = "sallyport-firewall-1-2001-db8-1--12"
  description = "Sallyport: attach to 2001:db8:1::12"
  vpc_id      = var.vpc_id
}

# IPv6 routers never fragment: without packet-too-big large packets vanish
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_1_2001_db8_1__12_fw1_icmpv6_errors" {
  security_group_id = aws_security_group.sallyport_firewall_1_2001_db8_1__12.id
  description       = "fw1-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish"
  cidr_ipv6         = "::/0"
  ip_protocol       = "icmpv6"
  from_port         = 2
  to_port           = 0
}

# storage node node-a dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_node_a_to_2001_db8__20_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_2001_db8_1__12.id
  description       = "fw1-node-a-to-2001-db8--20-8443: storage node node-a dials the edge; the inside opens every connection"
  cidr_ipv6         = "2001:db8::20/128"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# Sallyport: firewall 2, between the DMZ and the internet.
# Only devices open connections, to the edge's port. Everything else that would pass is dropped.
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
resource "aws_vpc_security_group_ingress_rule" "fw2_clients_198_51_100_0_24_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_firewall_2_192_0_2_10.id
  description       = "fw2-clients-198-51-100-0-24-to-192-0-2-10-443: devices reach the edge on its one port"
  cidr_ipv4         = "198.51.100.0/24"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# devices reach the edge on its one port
resource "aws_vpc_security_group_ingress_rule" "fw2_clients_203_0_113_0_24_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_firewall_2_192_0_2_10.id
  description       = "fw2-clients-203-0-113-0-24-to-192-0-2-10-443: devices reach the edge on its one port"
  cidr_ipv4         = "203.0.113.0/24"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group" "sallyport_firewall_2_2001_db8__20" {
  name        = "sallyport-firewall-2-2001-db8--20"
  description = "Sallyport: attach to 2001:db8::20"
  vpc_id      = var.vpc_id
}

# IPv6 routers never fragment: without packet-too-big large packets vanish
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_2_2001_db8__20_fw2_icmpv6_errors" {
  security_group_id = aws_security_group.sallyport_firewall_2_2001_db8__20.id
  description       = "fw2-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish"
  cidr_ipv6         = "::/0"
  ip_protocol       = "icmpv6"
  from_port         = 2
  to_port           = 0
}

# devices reach the edge on its one port
resource "aws_vpc_security_group_ingress_rule" "fw2_clients_2001_db8_ff___48_to_2001_db8__20_8443" {
  security_group_id = aws_security_group.sallyport_firewall_2_2001_db8__20.id
  description       = "fw2-clients-2001-db8-ff---48-to-2001-db8--20-8443: devices reach the edge on its one port"
  cidr_ipv6         = "2001:db8:ff::/48"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# Sallyport: the host of a.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
resource "aws_security_group" "sallyport_edge_host_a" {
  name        = "sallyport-edge-host-a"
  description = "Sallyport: attach to the edge a"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_edge_host_a_host_in_icmp_errors" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# devices reach the one port
resource "aws_vpc_security_group_ingress_rule" "host_in_clients_198_51_100_0_24_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-clients-198-51-100-0-24-to-192-0-2-10-443: devices reach the one port"
  cidr_ipv4         = "198.51.100.0/24"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# devices reach the one port
resource "aws_vpc_security_group_ingress_rule" "host_in_clients_203_0_113_0_24_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-clients-203-0-113-0-24-to-192-0-2-10-443: devices reach the one port"
  cidr_ipv4         = "203.0.113.0/24"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# master hq dials the edge
resource "aws_vpc_security_group_ingress_rule" "host_in_hq_10_0_0_11_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-hq-10-0-0-11-to-192-0-2-10-443: master hq dials the edge"
  cidr_ipv4         = "10.0.0.11/32"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# master hq dials the edge
resource "aws_vpc_security_group_ingress_rule" "host_in_hq_10_0_0_21_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-hq-10-0-0-21-to-192-0-2-10-443: master hq dials the edge"
  cidr_ipv4         = "10.0.0.21/32"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# master hq dials the edge
resource "aws_vpc_security_group_ingress_rule" "host_in_hq_10_0_0_11_to_192_0_2_11_8443" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-hq-10-0-0-11-to-192-0-2-11-8443: master hq dials the edge"
  cidr_ipv4         = "10.0.0.11/32"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# master hq dials the edge
resource "aws_vpc_security_group_ingress_rule" "host_in_hq_10_0_0_21_to_192_0_2_11_8443" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-hq-10-0-0-21-to-192-0-2-11-8443: master hq dials the edge"
  cidr_ipv4         = "10.0.0.21/32"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# storage node node-a dials the edge
resource "aws_vpc_security_group_ingress_rule" "host_in_node_a_to_192_0_2_10_443" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-node-a-to-192-0-2-10-443: storage node node-a dials the edge"
  cidr_ipv4         = "10.0.0.12/32"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# storage node node-a dials the edge
resource "aws_vpc_security_group_ingress_rule" "host_in_node_a_to_192_0_2_11_8443" {
  security_group_id = aws_security_group.sallyport_edge_host_a.id
  description       = "host-in-node-a-to-192-0-2-11-8443: storage node node-a dials the edge"
  cidr_ipv4         = "10.0.0.12/32"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# Sallyport: the host of b.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv4 address: IPv4 is dropped altogether.
resource "aws_security_group" "sallyport_edge_host_b" {
  name        = "sallyport-edge-host-b"
  description = "Sallyport: attach to the edge b"
  vpc_id      = var.vpc_id
}

# IPv6 routers never fragment: without packet-too-big large packets vanish
resource "aws_vpc_security_group_ingress_rule" "sallyport_edge_host_b_host_in_icmpv6_errors" {
  security_group_id = aws_security_group.sallyport_edge_host_b.id
  description       = "host-in-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish"
  cidr_ipv6         = "::/0"
  ip_protocol       = "icmpv6"
  from_port         = 2
  to_port           = 0
}

# devices reach the one port
resource "aws_vpc_security_group_ingress_rule" "host_in_clients_2001_db8_ff___48_to_2001_db8__20_8443" {
  security_group_id = aws_security_group.sallyport_edge_host_b.id
  description       = "host-in-clients-2001-db8-ff---48-to-2001-db8--20-8443: devices reach the one port"
  cidr_ipv6         = "2001:db8:ff::/48"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# master hq dials the edge
resource "aws_vpc_security_group_ingress_rule" "host_in_hq_to_2001_db8__20_8443" {
  security_group_id = aws_security_group.sallyport_edge_host_b.id
  description       = "host-in-hq-to-2001-db8--20-8443: master hq dials the edge"
  cidr_ipv6         = "2001:db8:1::11/128"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# storage node node-a dials the edge
resource "aws_vpc_security_group_ingress_rule" "host_in_node_a_to_2001_db8__20_8443" {
  security_group_id = aws_security_group.sallyport_edge_host_b.id
  description       = "host-in-node-a-to-2001-db8--20-8443: storage node node-a dials the edge"
  cidr_ipv6         = "2001:db8:1::12/128"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}
