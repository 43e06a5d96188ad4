//! Every code that a verdict can carry, in one table: what it means and what to do. `explain` prints it.

/// The name of a finding in reports. It never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(&'static str);

impl Code {
    /// As reports write it.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^FC-[A-Z0-9-]+$" })
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// What there is to say about a code.
#[derive(Debug, Clone, Copy)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// One line.
    pub title: &'static str,
    /// What was seen, why it matters, and what to do.
    pub text: &'static str,
}

/// Names the codes and lists what there is to say about each, in one place, so that none is without an explanation.
macro_rules! codes {
    ($($name:ident = $text:literal, $title:literal, $explanation:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code($text);)*
        }

        /// All codes, in the order in which documents list them.
        pub const ALL: &[Explanation] = &[
            $(Explanation { code: Code::$name, title: $title, text: $explanation },)*
        ];
    };
}

codes! {
    PIN_MATCH = "FC-PIN-MATCH", "A pin names this certificate",
        "One of the pins given is the SHA-256 of the server's own certificate (leaf) or of its public key (SPKI).";
    PIN_MISMATCH = "FC-PIN-MISMATCH", "No pin names this certificate",
        "None of the pins given is the SHA-256 of the server's own certificate or of its public key. Every client that has \
         these pins halts. If the certificate was replaced on purpose, deploy the new pin; otherwise somebody is in between. \
         A pin of an issuer further up the chain does not count: whoever that issuer serves would pass.";
    PIN_NOT_ASKED = "FC-PIN-NOT-ASKED", "No pin was given",
        "Nothing was compared. Give --pin to find out whether clients that have that pin would connect.";

    POSSESSION_PROVED = "FC-POSSESSION-PROVED", "The server has its key",
        "The handshake signature fits the public key of the certificate that was presented.";
    POSSESSION_WEAK = "FC-POSSESSION-WEAK", "The server has its key, but clients cannot check that",
        "The handshake signature fits, but with a key or a certificate that the TLS libraries of clients refuse, such as \
         RSA of 1,024 bits or a version 1 certificate. Issue a certificate with an ECDSA P-256 key.";
    POSSESSION_NOT_PROVED = "FC-POSSESSION-NOT-PROVED", "The server did not prove that it has its key",
        "Anybody can present a certificate: it is public. The handshake signature shows who has its key, and it is missing \
         or wrong here. Clients that check it halt. Somebody may be in between, or the server has another key than its \
         certificate's.";
    POSSESSION_NOT_ASKED = "FC-POSSESSION-NOT-ASKED", "There was no handshake",
        "A file alone proves possession of nothing. Look at the server itself with `fingerprint-check host`.";

    CHAIN_OK = "FC-CHAIN-OK", "The chain leads to a trusted root",
        "Over the certificates that the server sends, its own leads to one of the roots, each signed by the next.";
    CHAIN_NOT_ASKED = "FC-CHAIN-NOT-ASKED", "No roots were given",
        "The chain was not judged. Give --roots system, --roots mozilla or --roots FILE.";
    CHAIN_SELF_SIGNED = "FC-CHAIN-SELF-SIGNED", "A self-signed certificate that is not among the roots",
        "It is its own issuer, so nobody vouches for it. If clients are given this very certificate as their root, give it \
         here as well: --roots FILE. A public name should have a certificate from a public authority.";
    CHAIN_INCOMPLETE = "FC-CHAIN-INCOMPLETE", "The server sends no intermediate certificate",
        "The server sends its own certificate alone, and none of the roots issued it. Browsers often fetch or remember the \
         missing certificate, other clients refuse. Configure the full chain at the server (leaf first, then intermediates).";
    CHAIN_UNKNOWN_ISSUER = "FC-CHAIN-UNKNOWN-ISSUER", "No trusted root issued the chain",
        "The chain ends at an authority that is not among the roots. Give clients that authority's root, or take a \
         certificate from one that they know.";
    CHAIN_CA_AS_SERVER = "FC-CHAIN-CA-AS-SERVER", "The server's own certificate says CA:TRUE",
        "It is an authority's certificate, and may not identify a server: rustls, Windows and others refuse it even where it \
         is trusted as its own root. `openssl req -x509` makes such certificates unless told otherwise. Reissue with \
         CA:FALSE (openssl: -addext basicConstraints=critical,CA:FALSE).";
    CHAIN_ISSUER_IS_NO_CA = "FC-CHAIN-ISSUER-IS-NO-CA", "An issuer in the chain is no authority",
        "A certificate in the chain was signed with the key of one that says CA:FALSE. Somebody who holds a server's \
         certificate has issued another with it. Reissue the chain from an authority.";
    CHAIN_PURPOSE = "FC-CHAIN-PURPOSE", "The certificate is not meant for servers",
        "Its extended key usage does not list serverAuth. Reissue it with serverAuth.";
    CHAIN_SIGNATURE = "FC-CHAIN-SIGNATURE", "A signature in the chain is wrong",
        "The issuer was found by name, but its key did not make the signature: the root was replaced, or a certificate was \
         altered. A self-signed certificate that was reissued is its own new root.";
    CHAIN_WEAK = "FC-CHAIN-WEAK", "The chain is signed with an algorithm that is no longer accepted",
        "MD5, SHA-1 or RSA keys under 2,048 bits: forgeries are feasible, and clients refuse. Reissue the chain with ECDSA \
         P-256 and SHA-256.";
    CHAIN_MALFORMED = "FC-CHAIN-MALFORMED", "The certificate is not of the form that clients read",
        "Version 1, or extensions that are not what their standard says. Reissue it with a current tool.";
    CHAIN_EXPIRED = "FC-CHAIN-EXPIRED", "An issuer of the chain is not valid at this time",
        "The server's own certificate may be valid, but every path to a root leads over an expired one. Send a current \
         intermediate certificate.";
    CHAIN_REFUSED = "FC-CHAIN-REFUSED", "The chain was refused for another reason",
        "The text has the words of the library that every client of the relay uses: name constraints, path lengths and \
         critical extensions that nobody knows belong here. Reissue the chain.";

    NAME_OK = "FC-NAME-OK", "The name is in the certificate",
        "The subjectAltName of the certificate covers the name that clients ask for.";
    NAME_MISMATCH = "FC-NAME-MISMATCH", "The certificate is for other names",
        "None of the names in its subjectAltName covers the one that clients ask for. Connect by one of its names, or \
         reissue it with this one. An IP address must be listed as an address, and a wildcard stands for one label.";
    NAME_NONE = "FC-NAME-NONE", "The certificate has no name",
        "It has no subjectAltName. The common name of the subject has not counted for years. Reissue it with \
         subjectAltName.";
    NAME_NOT_ASKED = "FC-NAME-NOT-ASKED", "No name was given",
        "A file has no name that clients ask for. Give --name.";

    TIME_OK = "FC-TIME-OK", "The certificate is valid now",
        "Its validity has begun, and does not end soon.";
    TIME_SOON = "FC-TIME-SOON", "The certificate expires soon",
        "Within --warn-days. Reissue it, with the same key if clients have SPKI pins.";
    TIME_CRITICAL = "FC-TIME-CRITICAL", "The certificate expires very soon",
        "Within --crit-days. Clients still connect; reissue it at once, with the same key if clients have SPKI pins.";
    TIME_EXPIRED = "FC-TIME-EXPIRED", "The certificate has expired",
        "Every client refuses. Reissue it, with the same key if clients have SPKI pins.";
    TIME_NOT_YET = "FC-TIME-NOT-YET", "The certificate is not valid yet",
        "Its validity begins later. Check the clocks of the server, of its issuer and of this machine; --at tells another \
         time.";
    TIME_ISSUER = "FC-TIME-ISSUER", "A certificate that the server sends along has expired or expires soon",
        "An intermediate certificate ends before the server's own. Clients that find no other path refuse from then on. Send \
         a current intermediate.";

    STRENGTH_OK = "FC-STRENGTH-OK", "Key and signature are strong",
        "A key of at least 112 bits of security, and a hash that nobody can forge.";
    STRENGTH_RSA = "FC-STRENGTH-RSA", "The RSA key is too short",
        "Under 2,048 bits it can be broken, and clients refuse it. Take ECDSA P-256, or RSA of 2,048 bits or more.";
    STRENGTH_HASH = "FC-STRENGTH-HASH", "The certificate is signed with a broken hash",
        "With MD5 or SHA-1 a second certificate with the same signature can be made. Clients refuse. Reissue it with SHA-256.";
    STRENGTH_UNKNOWN = "FC-STRENGTH-UNKNOWN", "A kind of key or signature that few clients know",
        "Most TLS libraries have RSA, P-256, P-384, P-521 and Ed25519 only. Take ECDSA P-256.";

    TLS_OK = "FC-TLS-OK", "A current version with a sound suite",
        "TLS 1.2 or 1.3, ephemeral keys, authenticated encryption.";
    TLS_NO_EMS = "FC-TLS-NO-EMS", "TLS 1.2 without the extended master secret",
        "Without RFC 7627 keys are not bound to the handshake, and the relay's own clients refuse. Update the server's TLS \
         library, or switch TLS 1.3 on.";
    TLS_ENDED = "FC-TLS-ENDED", "The handshake did not come to its end",
        "The certificate was seen, then the server asked for a client certificate, was given none, and ended the handshake. \
         The other verdicts hold.";
    TLS_BROKEN = "FC-TLS-BROKEN", "The handshake failed behind the certificate",
        "The certificate was seen, then the handshake failed: the server's Finished was wrong, or it went away or fell silent \
         before its end. No client connects, whatever pin and certificate say. A wrong Finished means that somebody changed \
         what the two ends said to each other.";
    TLS_NOT_ASKED = "FC-TLS-NOT-ASKED", "There was no connection",
        "A file says nothing about TLS. Look at the server itself with `fingerprint-check host`.";

    PLATFORM_RSA = "FC-PLATFORM-RSA", "The platform has no suite for an RSA key",
        "Before Windows 10, and on Windows Phone 8.1, Schannel has ECDHE with RSA only in the old CBC suites, which no server \
         of the relay has and others switch off. Use a certificate with an ECDSA P-256 key.";
    PLATFORM_NO_PURPOSE = "FC-PLATFORM-NO-PURPOSE", "The platform wants an extended key usage",
        "Since iOS 13 and macOS 10.15, Apple's systems refuse certificates issued after 2019-07-01 without an extended key \
         usage that lists serverAuth, also those of private authorities. Reissue it with serverAuth.";
    PLATFORM_LIFETIME = "FC-PLATFORM-LIFETIME", "The certificate lives too long for the platform",
        "Since iOS 13 and macOS 10.15, Apple's systems refuse certificates issued after 2019-07-01 that live more than 825 \
         days, also those of private authorities. Reissue it for 825 days or fewer.";
    PLATFORM_KEY = "FC-PLATFORM-KEY", "The platform does not verify signatures of such a key",
        "The ClientHello of the platform does not offer the signature that a server with this key makes. Use a certificate \
         with an ECDSA P-256 key, which every platform verifies.";
    PLATFORM_CURVE = "FC-PLATFORM-CURVE", "The platform does not name the curve of the key",
        "Under TLS 1.2 a client names the elliptic curves that it knows, also for certificates. Some stacks refuse a \
         certificate on another, some do not. Use a certificate with an ECDSA P-256 key.";
    PLATFORM_NOT_SEEN = "FC-PLATFORM-NOT-SEEN", "This connection did not show what the platform would ask for",
        "One connection shows one TLS version, one suite and one group. The platform offers others, and whether the server \
         takes them was not asked. Most servers that speak TLS 1.3 speak TLS 1.2 as well.";

    ROTATE_SAME = "FC-ROTATE-SAME", "Both files hold the same certificate",
        "There is nothing to change. Give the certificate in use with --current and the new one with --next.";
    ROTATE_SAME_KEY = "FC-ROTATE-SAME-KEY", "The key stays",
        "The next certificate was issued for the same key. Clients with an SPKI pin notice nothing; clients with a leaf pin \
         need the new one before the change.";
    ROTATE_OTHER_KEY = "FC-ROTATE-OTHER-KEY", "The key changes",
        "No pin of the current certificate holds for the next one. Clients need a pin of the next one before the change.";
    ROTATE_PINNED = "FC-ROTATE-PINNED", "Clients have a pin of the next certificate",
        "As far as pins go, the certificate can be changed.";
    ROTATE_CURRENT_UNPINNED = "FC-ROTATE-CURRENT-UNPINNED", "The pins are not those that clients have",
        "None of the pins given names the current certificate. Clients that connect now must have another pin: give all that \
         are deployed.";
    ROTATE_NEXT_UNPINNED = "FC-ROTATE-NEXT-UNPINNED", "Clients have no pin of the next certificate",
        "On the day of the change every client with these pins halts. Deploy the SPKI pin of the next certificate first, wait \
         until every client has it, and change the certificate then.";
    ROTATE_BACKUP = "FC-ROTATE-BACKUP", "There is a backup pin",
        "A pin that names neither certificate stands for a key that is not in use. If the key in use is lost, the server can \
         change to that one (RFC 7469 section 4.3).";
    ROTATE_NO_BACKUP = "FC-ROTATE-NO-BACKUP", "A backup pin is missing",
        "Every pin names one of the two certificates. If both keys are lost or stolen, no client can be reached again. Make a \
         further key, keep it offline, and deploy its pin (RFC 7469 section 4.3).";
    ROTATE_OVERLAP = "FC-ROTATE-OVERLAP", "Both certificates are valid for a while",
        "Within that time the certificate can be changed, and changed back.";
    ROTATE_GAP = "FC-ROTATE-GAP", "Neither certificate is valid for a while",
        "The current certificate ends before the next one begins. Nobody connects in between. Reissue the next one with an \
         earlier beginning.";
    ROTATE_ENDS_EARLIER = "FC-ROTATE-ENDS-EARLIER", "The next certificate ends before the current one",
        "Either the two were confused, or the next one is older.";
    ROTATE_NAMES = "FC-ROTATE-NAMES", "Names vanish with the change",
        "Clients that ask for a name which the next certificate does not have refuse it. Reissue it with all names.";

    NAME_UNKNOWN = "FC-NAME-UNKNOWN", "The name cannot be resolved",
        "DNS has no address for it. Check the spelling, and that this machine's DNS knows the name.";
    REFUSED = "FC-REFUSED", "The connection was refused",
        "The machine answers, but nothing listens on that port, or a firewall says so in its place.";
    NETWORK = "FC-NETWORK", "The machine cannot be reached",
        "No route, or the network is down. Check the address and the firewalls in between.";
    TIMEOUT = "FC-TIMEOUT", "It took too long",
        "No answer within --connect-timeout or --timeout: a firewall that drops packets, a busy server, or one that does not \
         speak TLS on that port and waits for the client to say something else.";
    PROXY = "FC-PROXY", "The proxy did not connect",
        "The proxy could not be reached, refused, or speaks another protocol than --proxy says.";
    STARTTLS = "FC-STARTTLS", "The server did not begin TLS",
        "The plaintext part of --starttls did not lead to TLS: it is switched off there, or another protocol is spoken.";
    STARTTLS_INJECTION = "FC-STARTTLS-INJECTION", "Plaintext follows the agreement to begin TLS",
        "Careless clients take such bytes for encrypted ones (CVE-2011-0411). Somebody may be in between; otherwise the \
         server needs an update.";
    TLS_NOT_TLS = "FC-TLS-NOT-TLS", "The server does not speak TLS on that port",
        "Its first bytes are no TLS record. Give the right port, or --starttls for protocols that begin in plaintext.";
    TLS_VERSION = "FC-TLS-VERSION", "The server speaks old versions only",
        "Neither TLS 1.2 nor 1.3. No current client connects. Switch one of them on.";
    TLS_NAME = "FC-TLS-NAME", "The server does not serve that name",
        "It answered the name in the ClientHello with an alert. Give a name that it serves with --sni.";
    TLS_HANDSHAKE = "FC-TLS-HANDSHAKE", "The handshake failed before a certificate was seen",
        "No suite in common, a server that closes at once, or one that breaks the protocol. The text says which.";
    CERTIFICATE_NONE = "FC-CERTIFICATE-NONE", "There is no certificate",
        "The server presented an empty list, or the file holds none.";
    CERTIFICATE_UNREADABLE = "FC-CERTIFICATE-UNREADABLE", "The certificate cannot be read",
        "It is no X.509 certificate in DER, so that no pin can be confirmed. Reissue it with a current tool.";
    CERTIFICATE_AMBIGUOUS = "FC-CERTIFICATE-AMBIGUOUS", "Two libraries read different keys from the certificate",
        "webpki, which checks handshake signatures, and x509-parser read different public keys: the certificate was made to \
         be read in two ways. Do not use it.";
}

/// The explanation of a code, in either case.
pub fn find(code: &str) -> Option<&'static Explanation> {
    ALL.iter().find(|explanation| explanation.code.as_str().eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_of_one_form() {
        let unique: BTreeSet<&str> = ALL.iter().map(|explanation| explanation.code.as_str()).collect();
        assert_eq!(unique.len(), ALL.len());
        for explanation in ALL {
            let code = explanation.code.as_str();
            assert!(
                code.starts_with("FC-")
                    && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
            );
            assert!(explanation.text.ends_with('.') && !explanation.title.ends_with('.'), "{code}");
            assert!(find(&code.to_lowercase()).is_some());
        }
    }
}
