//! The ten certificates at servers that nobody here wrote: `openssl s_server` and nginx.
//!
//! `cargo test -p tools --test fingerprint_check -- --ignored peers` needs both installed (Debian: openssl, nginx-light).

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    kit::{AT, certificate, run, settled, snapshot},
    servers::closed_port,
};

/// Certificate, roots, exit code.
const TEN: [(&str, &str, i32); 10] = [
    ("ca-true", "ca-true", 4),
    ("ca-false", "ca-false", 0),
    ("chain", "root", 0),
    ("expired", "expired", 4),
    ("rsa-2048", "rsa-2048", 4),
    ("rsa-1024", "rsa-1024", 4),
    ("sha1", "sha1", 4),
    ("wrong-name", "wrong-name", 4),
    ("ed25519", "ed25519", 4),
    ("p-384", "p-384", 0),
];

/// Weak certificates are wanted here, which OpenSSL refuses by default.
const OPENSSL: &str = "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = any\n[any]\n\
                       CipherString = DEFAULT:@SECLEVEL=0\n";

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command, port: u16) -> Running {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let running = Running(child.unwrap_or_else(|error| panic!("{program}: {error}; this test needs it installed")));
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(10), "{program} does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    running
}

fn look(peer: &str, port: u16, name: &str, roots: &str, code: i32) {
    let target = format!("127.0.0.1:{port}");
    let (pin, roots) = (format!("certificates/{name}.pem"), format!("certificates/{roots}.pem"));
    let outcome = run(&["host", &target, "--pin", &pin, "--roots", &roots, "--at", AT]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (code, ""), "{peer}, {name}: {}", outcome.stdout);
    let text = format!("{}exit {code}\n", settled(&outcome.stdout, &[(port, "PORT")]));
    snapshot(&format!("{peer}/{name}.txt"), &text);
}

#[test]
#[ignore = "needs openssl"]
fn peers_openssl_with_ten_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("openssl.cnf");
    fs::write(&config, OPENSSL).unwrap();
    for (name, roots, code) in TEN {
        let port = closed_port();
        let (pem, key) = (certificate(&format!("{name}.pem")), certificate(&format!("{name}.key")));
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-quiet"]);
        command.args(["-cert", &pem, "-cert_chain", &pem, "-key", &key]).env("OPENSSL_CONF", &config);
        let _running = start(&mut command, port);
        look("openssl", port, name, roots, code);
    }
}

#[test]
#[ignore = "needs nginx"]
fn peers_nginx_with_ten_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let ports: Vec<u16> = TEN.iter().map(|_| closed_port()).collect();
    let servers: String = TEN.iter().zip(&ports).map(|((name, ..), port)| server(name, *port)).collect();
    let shown = folder.path().display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {shown}/{kind};\n"))
        .concat();
    let config = format!(
        "daemon off;\nmaster_process off;\npid {shown}/pid;\nerror_log {shown}/error.log;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{servers}}}\n"
    );
    fs::write(folder.path().join("nginx.conf"), config).unwrap();
    fs::write(folder.path().join("openssl.cnf"), OPENSSL).unwrap();
    let mut command = Command::new(if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" });
    command.arg("-c").arg(folder.path().join("nginx.conf")).arg("-p").arg(folder.path());
    command.env("OPENSSL_CONF", folder.path().join("openssl.cnf"));
    let _running = start(&mut command, ports[0]);
    for ((name, roots, code), port) in TEN.into_iter().zip(ports) {
        look("nginx", port, name, roots, code);
    }
}

fn server(name: &str, port: u16) -> String {
    let (pem, key) = (certificate(&format!("{name}.pem")), certificate(&format!("{name}.key")));
    format!(
        "server {{ listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {pem}; \
         ssl_certificate_key {key}; return 200; }}\n"
    )
}

/// `openssl s_server` with these options, looked at once: exit code and output.
fn odd_server(config: &str, options: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openssl.cnf");
    fs::write(&file, format!("{OPENSSL}{config}")).unwrap();
    let port = closed_port();
    let (pem, key) = (certificate("ca-false.pem"), certificate("ca-false.key"));
    let mut command = Command::new("openssl");
    command.args(["s_server", "-accept", &format!("127.0.0.1:{port}"), "-quiet", "-cert", &pem, "-key", &key]);
    let _running = start(command.args(options).env("OPENSSL_CONF", &file), port);
    let target = format!("127.0.0.1:{port}");
    let outcome = run(&["host", &target, "--pin", &pem, "--roots", &pem, "--at", AT, "--platform", "linux"]);
    assert_eq!(outcome.stderr, "");
    (outcome.code, outcome.stdout)
}

#[test]
#[ignore = "needs openssl"]
fn peers_openssl_set_up_oddly() {
    for (config, options, code, words) in [
        ("Options = -ExtendedMasterSecret\n", &["-tls1_2"][..], 4, "FC-TLS-NO-EMS"),
        ("", &["-tls1_2", "-Verify", "1", "-verify_return_error"], 0, "FC-TLS-ENDED"),
        ("", &["-Verify", "1", "-verify_return_error"], 0, "tls          ok"),
        ("", &["-tls1_1"], 3, "FC-TLS-VERSION"),
        ("", &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], 3, "no suite"),
    ] {
        let (found, said) = odd_server(config, options);
        assert!(said.contains(words), "{options:?}: {said}");
        assert_eq!(found, code, "{options:?}: {said}");
    }
}
