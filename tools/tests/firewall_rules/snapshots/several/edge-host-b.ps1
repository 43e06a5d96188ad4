# Sallyport: the host of b.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv4 address: IPv4 is dropped altogether.
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

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-icmpv6-errors' -DisplayName 'host-in-icmpv6-errors' -Description 'IPv6 routers never fragment: without packet-too-big large packets vanish' -Direction Inbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 1,2,3,4 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-neighbours' -DisplayName 'host-in-neighbours' -Description 'IPv6 has no ARP: without neighbour discovery no IPv6 packet finds this host' -Direction Inbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 134,135,136 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-listeners' -DisplayName 'host-in-listeners' -Description 'switches ask who listens before they pass neighbour discovery on' -Direction Inbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 130 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-clients-2001-db8-ff---48-to-2001-db8--20-8443' -DisplayName 'host-in-clients-2001-db8-ff---48-to-2001-db8--20-8443' -Description 'devices reach the one port' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 2001:db8::20 -LocalPort 8443 -RemoteAddress 2001:db8:ff::/48 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-hq-to-2001-db8--20-8443' -DisplayName 'host-in-hq-to-2001-db8--20-8443' -Description 'master hq dials the edge' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 2001:db8::20 -LocalPort 8443 -RemoteAddress 2001:db8:1::11 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-node-a-to-2001-db8--20-8443' -DisplayName 'host-in-node-a-to-2001-db8--20-8443' -Description 'storage node node-a dials the edge' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 2001:db8::20 -LocalPort 8443 -RemoteAddress 2001:db8:1::12 | Out-Null

# by Windows itself: host-out-loopback: the admin address and local checks, within this host

# by Windows itself: host-out-established: answers on connections that others opened, and nothing else

New-NetFirewallRule -Group 'Sallyport' -Name 'host-out-neighbours' -DisplayName 'host-out-neighbours' -Description 'IPv6 has no ARP: without neighbour discovery this host finds no router' -Direction Outbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 133,135,136 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-out-listeners' -DisplayName 'host-out-listeners' -Description 'tells switches which groups this host listens to, for neighbour discovery' -Direction Outbound -Action Allow -Profile Any -Protocol ICMPv6 -IcmpType 131,143 | Out-Null
