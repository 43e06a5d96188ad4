//! Upstreams: a TCP connection to a server beside this backend, and both ways between it and the tunnel.

use std::io;

use relay_wire::builtin::Status;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use super::{
    Means, Peer, TunnelStream, Upstream,
    copy::{End, both_ways},
    proxy_protocol, say,
};

/// Connects to the upstream and, if it is to know who comes, writes the PROXY header.
///
/// # Errors
/// What looking up, connecting or writing gave; of the kind `TimedOut` after the connect timeout.
pub async fn connect(upstream: &Upstream, peer: &Peer) -> io::Result<TcpStream> {
    let connecting = async {
        let mut stream = TcpStream::connect(upstream.target.as_pair()).await?;
        stream.set_nodelay(true)?;
        if upstream.proxy_protocol {
            let device = peer.grant.device_id.registry_key();
            let header = proxy_protocol::header(&peer.remote, stream.peer_addr()?, &device);
            stream.write_all(&header).await?;
        }
        Ok(stream)
    };
    match timeout(upstream.connect_timeout, connecting).await {
        Ok(done) => done,
        Err(_) => {
            let text = format!("no connection within {:?}", upstream.connect_timeout);
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        }
    }
}

/// A connection to an upstream that is reset when it is dropped, unless it was used to its end: a FIN would tell the
/// upstream that it has got everything.
struct Torn {
    stream: TcpStream,
    whole: bool,
}

impl Drop for Torn {
    fn drop(&mut self) {
        if !self.whole {
            let _ = self.stream.set_zero_linger();
        }
    }
}

/// Carries a tunnel to the upstream that `stream` is connected to.
pub async fn carry(tunnel: &mut TunnelStream, stream: TcpStream, means: &Means) -> End {
    let mut upstream = Torn { stream, whole: false };
    if let Err(error) = say(tunnel, Status::Ready).await {
        return End::DeviceBroke(error);
    }
    let end = both_ways(tunnel, &mut upstream.stream, &means.buffers, &means.metrics, means.idle).await;
    upstream.whole = matches!(end, End::Finished);
    end
}
