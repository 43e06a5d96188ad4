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
# Only the inside opens connections, to the edge's port, and what is marked optional. Everything else that would pass is dropped.
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
resource "aws_vpc_security_group_egress_rule" "fw1_hq_to_192_0_2_10_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_11.id
  description       = "fw1-hq-to-192-0-2-10-8443: master hq dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.10/32"
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
resource "aws_vpc_security_group_egress_rule" "fw1_hq_to_2001_db8__10_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_2001_db8_1__11.id
  description       = "fw1-hq-to-2001-db8--10-8443: master hq dials the edge; the inside opens every connection"
  cidr_ipv6         = "2001:db8::10/128"
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
resource "aws_vpc_security_group_egress_rule" "fw1_node_a_to_192_0_2_10_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_12.id
  description       = "fw1-node-a-to-192-0-2-10-8443: storage node node-a dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.10/32"
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
resource "aws_vpc_security_group_egress_rule" "fw1_node_a_to_2001_db8__10_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_2001_db8_1__12.id
  description       = "fw1-node-a-to-2001-db8--10-8443: storage node node-a dials the edge; the inside opens every connection"
  cidr_ipv6         = "2001:db8::10/128"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

resource "aws_security_group" "sallyport_firewall_1_10_0_0_13" {
  name        = "sallyport-firewall-1-10-0-0-13"
  description = "Sallyport: attach to 10.0.0.13"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_1_10_0_0_13_fw1_icmp_errors" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_13.id
  description       = "fw1-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# storage node node-b dials the edge; the inside opens every connection
resource "aws_vpc_security_group_egress_rule" "fw1_node_b_to_192_0_2_10_8443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_0_13.id
  description       = "fw1-node-b-to-192-0-2-10-8443: storage node node-b dials the edge; the inside opens every connection"
  cidr_ipv4         = "192.0.2.10/32"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

resource "aws_security_group" "sallyport_firewall_1_10_0_9_0_24" {
  name        = "sallyport-firewall-1-10-0-9-0-24"
  description = "Sallyport: attach to hosts in 10.0.9.0/24"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_1_10_0_9_0_24_fw1_icmp_errors" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_9_0_24.id
  description       = "fw1-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# optional: administrators log in; the relay does not need it
resource "aws_vpc_security_group_egress_rule" "fw1_ssh_10_0_9_0_24_to_192_0_2_10_22" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_9_0_24.id
  description       = "fw1-ssh-10-0-9-0-24-to-192-0-2-10-22: optional: administrators log in; the relay does not need it"
  cidr_ipv4         = "192.0.2.10/32"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

resource "aws_security_group" "sallyport_firewall_1_10_0_9_7" {
  name        = "sallyport-firewall-1-10-0-9-7"
  description = "Sallyport: attach to 10.0.9.7"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_1_10_0_9_7_fw1_icmp_errors" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_9_7.id
  description       = "fw1-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# optional: reads metrics and status; the relay does not need it
resource "aws_vpc_security_group_egress_rule" "fw1_monitoring_10_0_9_7_to_192_0_2_10_9443" {
  security_group_id = aws_security_group.sallyport_firewall_1_10_0_9_7.id
  description       = "fw1-monitoring-10-0-9-7-to-192-0-2-10-9443: optional: reads metrics and status; the relay does not need it"
  cidr_ipv4         = "192.0.2.10/32"
  ip_protocol       = "tcp"
  from_port         = 9443
  to_port           = 9443
}

# Sallyport: firewall 2, between the DMZ and the internet.
# Only devices open connections, to the edge's port; the edge host asks for the time. Everything else that would pass is dropped.
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
resource "aws_vpc_security_group_ingress_rule" "fw2_clients_to_192_0_2_10_8443" {
  security_group_id = aws_security_group.sallyport_firewall_2_192_0_2_10.id
  description       = "fw2-clients-to-192-0-2-10-8443: devices reach the edge on its one port"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# optional: NTP, all that the edge host ever opens; the relay does not need it
resource "aws_vpc_security_group_egress_rule" "fw2_ntp_192_0_2_10_to_198_51_100_1_123" {
  security_group_id = aws_security_group.sallyport_firewall_2_192_0_2_10.id
  description       = "fw2-ntp-192-0-2-10-to-198-51-100-1-123: optional: NTP, all that the edge host ever opens; the relay does not need it"
  cidr_ipv4         = "198.51.100.1/32"
  ip_protocol       = "udp"
  from_port         = 123
  to_port           = 123
}

resource "aws_security_group" "sallyport_firewall_2_2001_db8__10" {
  name        = "sallyport-firewall-2-2001-db8--10"
  description = "Sallyport: attach to 2001:db8::10"
  vpc_id      = var.vpc_id
}

# IPv6 routers never fragment: without packet-too-big large packets vanish
resource "aws_vpc_security_group_ingress_rule" "sallyport_firewall_2_2001_db8__10_fw2_icmpv6_errors" {
  security_group_id = aws_security_group.sallyport_firewall_2_2001_db8__10.id
  description       = "fw2-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish"
  cidr_ipv6         = "::/0"
  ip_protocol       = "icmpv6"
  from_port         = 2
  to_port           = 0
}

# devices reach the edge on its one port
resource "aws_vpc_security_group_ingress_rule" "fw2_clients_to_2001_db8__10_8443" {
  security_group_id = aws_security_group.sallyport_firewall_2_2001_db8__10.id
  description       = "fw2-clients-to-2001-db8--10-8443: devices reach the edge on its one port"
  cidr_ipv6         = "::/0"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# Sallyport: the host of dmz.
# Others connect to the edge's port, and what is marked optional; this host opens none but for the time. Everything else is dropped.
resource "aws_security_group" "sallyport_edge_host_dmz" {
  name        = "sallyport-edge-host-dmz"
  description = "Sallyport: attach to the edge dmz"
  vpc_id      = var.vpc_id
}

# path MTU discovery and unreachable errors of these connections
resource "aws_vpc_security_group_ingress_rule" "sallyport_edge_host_dmz_host_in_icmp_errors" {
  security_group_id = aws_security_group.sallyport_edge_host_dmz.id
  description       = "host-in-icmp-errors: path MTU discovery and unreachable errors of these connections"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "icmp"
  from_port         = 3
  to_port           = 4
}

# IPv6 routers never fragment: without packet-too-big large packets vanish
resource "aws_vpc_security_group_ingress_rule" "sallyport_edge_host_dmz_host_in_icmpv6_errors" {
  security_group_id = aws_security_group.sallyport_edge_host_dmz.id
  description       = "host-in-icmpv6-errors: IPv6 routers never fragment: without packet-too-big large packets vanish"
  cidr_ipv6         = "::/0"
  ip_protocol       = "icmpv6"
  from_port         = 2
  to_port           = 0
}

# devices and backends reach the one port
resource "aws_vpc_security_group_ingress_rule" "host_in_clients_to_192_0_2_10_8443" {
  security_group_id = aws_security_group.sallyport_edge_host_dmz.id
  description       = "host-in-clients-to-192-0-2-10-8443: devices and backends reach the one port"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# devices and backends reach the one port
resource "aws_vpc_security_group_ingress_rule" "host_in_clients_to_2001_db8__10_8443" {
  security_group_id = aws_security_group.sallyport_edge_host_dmz.id
  description       = "host-in-clients-to-2001-db8--10-8443: devices and backends reach the one port"
  cidr_ipv6         = "::/0"
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

# optional: administrators log in; the relay does not need it
resource "aws_vpc_security_group_ingress_rule" "host_in_ssh_10_0_9_0_24_to_192_0_2_10_22" {
  security_group_id = aws_security_group.sallyport_edge_host_dmz.id
  description       = "host-in-ssh-10-0-9-0-24-to-192-0-2-10-22: optional: administrators log in; the relay does not need it"
  cidr_ipv4         = "10.0.9.0/24"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

# optional: reads metrics and status; the relay does not need it
resource "aws_vpc_security_group_ingress_rule" "host_in_monitoring_10_0_9_7_to_192_0_2_10_9443" {
  security_group_id = aws_security_group.sallyport_edge_host_dmz.id
  description       = "host-in-monitoring-10-0-9-7-to-192-0-2-10-9443: optional: reads metrics and status; the relay does not need it"
  cidr_ipv4         = "10.0.9.7/32"
  ip_protocol       = "tcp"
  from_port         = 9443
  to_port           = 9443
}

# optional: NTP, all that the edge host ever opens; the relay does not need it
resource "aws_vpc_security_group_egress_rule" "host_out_ntp_192_0_2_10_to_198_51_100_1_123" {
  security_group_id = aws_security_group.sallyport_edge_host_dmz.id
  description       = "host-out-ntp-192-0-2-10-to-198-51-100-1-123: optional: NTP, all that the edge host ever opens; the relay does not need it"
  cidr_ipv4         = "198.51.100.1/32"
  ip_protocol       = "udp"
  from_port         = 123
  to_port           = 123
}
