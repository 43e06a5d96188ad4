# Sallyport: the host of a.
# Others connect to the edge's port; this host opens none. Everything else is dropped.
# That ends log-in over the network too; --ssh-from NETWORK would allow it.
# No edge here has an IPv6 address: IPv6 is dropped altogether.
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

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-clients-198-51-100-0-24-to-192-0-2-10-443' -DisplayName 'host-in-clients-198-51-100-0-24-to-192-0-2-10-443' -Description 'devices reach the one port' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.10 -LocalPort 443 -RemoteAddress 198.51.100.0/24 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-clients-203-0-113-0-24-to-192-0-2-10-443' -DisplayName 'host-in-clients-203-0-113-0-24-to-192-0-2-10-443' -Description 'devices reach the one port' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.10 -LocalPort 443 -RemoteAddress 203.0.113.0/24 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-hq-10-0-0-11-to-192-0-2-10-443' -DisplayName 'host-in-hq-10-0-0-11-to-192-0-2-10-443' -Description 'master hq dials the edge' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.10 -LocalPort 443 -RemoteAddress 10.0.0.11 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-hq-10-0-0-21-to-192-0-2-10-443' -DisplayName 'host-in-hq-10-0-0-21-to-192-0-2-10-443' -Description 'master hq dials the edge' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.10 -LocalPort 443 -RemoteAddress 10.0.0.21 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-hq-10-0-0-11-to-192-0-2-11-8443' -DisplayName 'host-in-hq-10-0-0-11-to-192-0-2-11-8443' -Description 'master hq dials the edge' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.11 -LocalPort 8443 -RemoteAddress 10.0.0.11 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-hq-10-0-0-21-to-192-0-2-11-8443' -DisplayName 'host-in-hq-10-0-0-21-to-192-0-2-11-8443' -Description 'master hq dials the edge' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.11 -LocalPort 8443 -RemoteAddress 10.0.0.21 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-node-a-to-192-0-2-10-443' -DisplayName 'host-in-node-a-to-192-0-2-10-443' -Description 'storage node node-a dials the edge' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.10 -LocalPort 443 -RemoteAddress 10.0.0.12 | Out-Null

New-NetFirewallRule -Group 'Sallyport' -Name 'host-in-node-a-to-192-0-2-11-8443' -DisplayName 'host-in-node-a-to-192-0-2-11-8443' -Description 'storage node node-a dials the edge' -Direction Inbound -Action Allow -Profile Any -Protocol TCP -LocalAddress 192.0.2.11 -LocalPort 8443 -RemoteAddress 10.0.0.12 | Out-Null

# by Windows itself: host-out-loopback: the admin address and local checks, within this host

# by Windows itself: host-out-established: answers on connections that others opened, and nothing else
