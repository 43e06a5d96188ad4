"""Python's ssl as its documentation has it: the default context with one's own roots. Arguments: host, port, name, roots."""

import socket
import ssl
import sys

host, port, name, roots = sys.argv[1:]
context = ssl.create_default_context(cafile=roots)
# The deadline is of each operation: the module has none for the handshake as a whole.
with socket.create_connection((host, int(port)), timeout=10) as tcp:
    with context.wrap_socket(tcp, server_hostname=name) as tls:
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        print(tls.recv(4096))
