# Sallyport: the host of dmz.
# Others connect to the edge's port, and what is marked optional; this host opens none but for the time. Everything else is dropped.
# Firewall 1 and firewall 2 are routers; Windows does not filter what it routes.
#Requires -RunAsAdministrator
$ErrorActionPreference = 'Stop'

# Run again, it replaces its own rules.
Get-NetFirewallRule -Group 'Sallyport' -ErrorAction SilentlyContinue | Remove-NetFirewallRule
# A default of Block is worth nothing beside the rules that Windows brings along.
Get-NetFirewallRule -PolicyStore PersistentStore | Where-Object { $_.Enabled -eq 'True' -and $_.Action -eq 'Allow' } |
  Disable-NetFirewallRule
Set-NetFirewallProfile -All -Enabled True -DefaultInboundAction Block -DefaultOutboundAction Block

# by Windows itself: host-in-loopback: the admin address and local checks, within this host

# by Windows itself: host-in-established: packets of connections that a rule below let be opened

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-icmp-errors' -DisplayName 'host-in-icmp-errors' -Description 'path MTU discovery and unreachable errors of these connections' -Direction Inbound -Action Allow -Profile Any -Protocol ICMPv4 -IcmpType 3,11,12 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-icmpv6-errors' -DisplayName 'host-in-icmpv6-errors' -Description 'IPv6 routers never fragment: without packet-too-big large packets vanish' -Direction Inbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 1,2,3,4 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-neighbours' -DisplayName 'host-in-neighbours' -Description 'IPv6 has no ARP: without neighbour discovery no IPv6 packet finds this host' -Direction Inbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 134,135,136 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-listeners' -DisplayName 'host-in-listeners' -Description 'switches ask who listens before they pass neighbour discovery on' -Direction Inbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 130 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-clients-to-192-0-2-10-8443' -DisplayName 'host-in-clients-to-192-0-2-10-8443' -Description 'devices and backends reach the one port' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.10 -LocalPort 8443 -RemoteAddress Any | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-clients-to-2001-db8--10-8443' -DisplayName 'host-in-clients-to-2001-db8--10-8443' -Description 'devices and backends reach the one port' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 2001:db8::10 -LocalPort 8443 -RemoteAddress Any | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-ssh-10-0-9-0-24-to-192-0-2-10-22' -DisplayName 'host-in-ssh-10-0-9-0-24-to-192-0-2-10-22' -Description 'optional: administrators log in; the relay does not need it' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.10 -LocalPort 22 -RemoteAddress 10.0.9.0/24 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-monitoring-10-0-9-7-to-192-0-2-10-9443' -DisplayName 'host-in-monitoring-10-0-9-7-to-192-0-2-10-9443' -Description 'optional: reads metrics and status; the relay does not need it' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.10 -LocalPort 9443 -RemoteAddress 10.0.9.7 | Out-Null

# by Windows itself: host-out-loopback: the admin address and local checks, within this host

# by Windows itself: host-out-established: answers on connections that others opened, and nothing else

New-NetFirewallRule -Group 'Sallyport' -Name 'host-out-neighbours' -DisplayName 'host-out-neighbours' -Description 'IPv6 has no ARP: without neighbour discovery this host finds no router' -Direction Outbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 133,135,136 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-out-listeners' -DisplayName 'host-out-listeners' -Description 'tells switches which groups this host listens to, for neighbour discovery' -Direction Outbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 131,143 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-out-ntp-192-0-2-10-to-198-51-100-1-123' -DisplayName 'host-out-ntp-192-0-2-10-to-198-51-100-1-123' -Description 'optional: NTP, all that the edge host ever opens; the relay does not need it' -Direction Outbound -Action Allow -Profile Any -Protocol UDP -LocalAddress 192.0.2.10 -RemoteAddress 198.51.100.1 -RemotePort 123 | Out-Null
