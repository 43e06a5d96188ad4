//! Clients that are wrong in one way each, and right ones. Run as the command under test: this test program starts itself.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::exit,
    sync::Arc,
    thread,
    time::Duration,
};

use relay_trust::{
    LastVerdict, PinSet, RootSource, Roots, TlsProfile, client_config, edge_verifier, provider, verify_server_chain,
};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, Stream,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// The environment variable that names the client to be.
pub const WHICH: &str = "ROGUE_TEST_CLIENT";
/// A client with a deadline gives up after this.
const DEADLINE: Duration = Duration::from_secs(2);
const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

fn told(name: &str) -> String {
    std::env::var(format!("ROGUE_{name}")).unwrap_or_else(|_| panic!("ROGUE_{name} is not told"))
}

/// What a client believes.
#[derive(Debug)]
struct Beliefs {
    pins: PinSet,
    roots: Roots,
    pin: WherePinned,
    chain: bool,
    possession: bool,
}

#[derive(Debug, PartialEq)]
enum WherePinned {
    Leaf,
    Anywhere,
    Nowhere,
}

fn refused(what: &str) -> Error {
    Error::General(what.to_owned())
}

impl ServerCertVerifier for Beliefs {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pinned = match self.pin {
            WherePinned::Leaf => self.pins.matches(leaf),
            WherePinned::Anywhere => [leaf].into_iter().chain(intermediates).any(|one| self.pins.matches(one)),
            WherePinned::Nowhere => true,
        };
        if !pinned {
            return Err(refused("pin"));
        }
        if self.chain {
            verify_server_chain(leaf, intermediates, &self.roots, name, now).map_err(|_| refused("chain"))?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.possession {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.possession {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn beliefs(pins: &str) -> Beliefs {
    Beliefs {
        pins: told(pins).parse().unwrap(),
        roots: Roots::load(&RootSource::File(told("ROOTS").into())).unwrap(),
        pin: WherePinned::Leaf,
        chain: true,
        possession: true,
    }
}

fn config(verifier: Arc<dyn ServerCertVerifier>) -> ClientConfig {
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
}

/// Connects, sends a request, reads the answer.
fn talk(config: &Arc<ClientConfig>, request: &[u8]) -> Result<ClientConnection, String> {
    let mut tcp = TcpStream::connect(told("ADDRESS")).map_err(|error| error.to_string())?;
    let name = ServerName::try_from(told("NAME")).unwrap();
    let mut tls = ClientConnection::new(Arc::clone(config), name).unwrap();
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp).map_err(|error| error.to_string())?;
    }
    let mut stream = Stream::new(&mut tls, &mut tcp);
    stream.write_all(request).map_err(|error| error.to_string())?;
    if !request.is_empty() {
        // What the answer is does not matter.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    tls.send_close_notify();
    let _ = tls.complete_io(&mut tcp);
    Ok(tls)
}

fn end(outcome: Result<ClientConnection, String>) -> ! {
    match outcome {
        Ok(_) => exit(0),
        Err(error) => {
            eprintln!("refused: {error}");
            exit(7)
        }
    }
}

/// The client that [`WHICH`] names.
#[test]
#[ignore = "a client for the other tests: they start it"]
fn client() {
    let Ok(which) = std::env::var(WHICH) else { return };
    if which != "without-a-deadline" {
        thread::spawn(|| {
            thread::sleep(DEADLINE);
            exit(9);
        });
    }
    let pins = if which.ends_with("leaf") { "PIN_LEAF" } else { "PIN_SPKI" };
    let sound = || Arc::new(config(Arc::new(beliefs(pins))));
    match which.as_str() {
        "device-leaf" | "device-spki" => {
            let beliefs = beliefs(pins);
            let verifier = edge_verifier(beliefs.pins, Some(beliefs.roots), LastVerdict::new());
            let profile = TlsProfile::by_name("linux").unwrap();
            end(talk(&Arc::new(client_config(profile, verifier, None, b"http/1.1").unwrap()), REQUEST))
        }
        "sound-leaf" | "sound-spki" | "without-a-deadline" => end(talk(&sound(), REQUEST)),
        "silent" => end(talk(&sound(), b"")),
        "asserts-signatures" => {
            end(talk(&Arc::new(config(Arc::new(Beliefs { possession: false, ..beliefs(pins) }))), REQUEST))
        }
        "pin-anywhere" => {
            let beliefs = Beliefs { pin: WherePinned::Anywhere, ..beliefs(pins) };
            end(talk(&Arc::new(config(Arc::new(beliefs))), REQUEST))
        }
        "chain-only" => {
            let beliefs = Beliefs { pin: WherePinned::Nowhere, ..beliefs(pins) };
            end(talk(&Arc::new(config(Arc::new(beliefs))), REQUEST))
        }
        "pin-only" => end(talk(&Arc::new(config(Arc::new(Beliefs { chain: false, ..beliefs(pins) }))), REQUEST)),
        "checks-afterwards" => afterwards(pins),
        "resumes-blindly" => resumes(pins),
        "retries" => {
            let config = sound();
            let outcomes: Vec<_> = (0..3).map(|_| talk(&config, REQUEST)).collect();
            end(outcomes.into_iter().find(Result::is_ok).unwrap_or(Err("three times".to_owned())))
        }
        "falls-back" => {
            if talk(&sound(), REQUEST).is_err() {
                TcpStream::connect(told("ADDRESS")).unwrap().write_all(REQUEST).unwrap();
            }
            exit(0)
        }
        "crashes" => {
            if told("TRIAL") == "control" {
                end(talk(&sound(), REQUEST));
            }
            drop(TcpStream::connect(told("ADDRESS")));
            std::process::abort()
        }
        "refuses-everything" => {
            drop(TcpStream::connect(told("ADDRESS")));
            exit(7)
        }
        other => panic!("no such client: {other}"),
    }
}

/// Accepts in the handshake, and looks at the pin before it sends anything: as curl does.
fn afterwards(pins: &str) -> ! {
    let beliefs = beliefs(pins);
    let held = beliefs.pins.clone();
    let config = Arc::new(config(Arc::new(Beliefs { pin: WherePinned::Nowhere, ..beliefs })));
    match talk(&config, b"") {
        Ok(tls) if tls.peer_certificates().is_some_and(|chain| held.matches(&chain[0])) => {
            // Only now it knows whom it talks to; it connects again for the request.
            end(talk(&config, REQUEST))
        }
        Ok(_) => exit(7),
        Err(error) => end(Err(error)),
    }
}

/// Connects twice with one memory of sessions, and checks the second time only that there is a certificate.
fn resumes(pins: &str) -> ! {
    let first = Arc::new(config(Arc::new(beliefs(pins))));
    if let Err(error) = talk(&first, REQUEST) {
        end(Err(error));
    }
    let careless = Beliefs { pin: WherePinned::Nowhere, chain: false, ..beliefs(pins) };
    let mut second = config(Arc::new(careless));
    second.resumption = Resumption::in_memory_sessions(8);
    end(talk(&Arc::new(second), REQUEST))
}
