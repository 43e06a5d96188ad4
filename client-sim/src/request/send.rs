//! `request send`: one request to an edge, and its reply.

use std::io::{self, BufRead, Read, Write};

use relay_runtime::clock::Clock;
use relay_wire::{
    Validator,
    grant::{Grant, PinKind},
    limits,
};
use tokio::runtime::Builder;

use super::build::{self, Draft};
use crate::{
    cli::{Format, SendArgs},
    device::{Answer, Failure, Link, Step, dial},
    error::Error,
    hex,
    profiles::Persona,
    target::EdgeTarget,
};

/// Sends what the options describe and prints the reply.
///
/// # Errors
/// What the edge said if not "accepted" or a tunnel; or why it could not be asked.
pub fn run(args: &SendArgs) -> Result<(), Error> {
    let target = EdgeTarget::from_args(&args.edge)?;
    let given = args.body.as_deref().map(given_body).transpose()?;
    if given.is_none() && args.request.op.is_none() {
        return Err(Error::Usage("give --op OPERATION to build a request, or --body HEX to send one as it is".into()));
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::System { action: "start the asynchronous runtime".into(), source })?;
    let (reply, failure) = runtime.block_on(ask(args, &target, given))?;
    let mut output = io::stdout().lock();
    output.write_all(reply.as_bytes()).and_then(|()| output.flush()).map_err(Error::Output)?;
    failure.map_or(Ok(()), |failure| Err(Error::Device(failure)))
}

fn given_body(text: &str) -> Result<Vec<u8>, Error> {
    let mut line = String::new();
    let text = if text == "-" {
        // Twice the digits of the largest body: what is longer is cut, and refused by the edge for its length.
        let bound = 4 * limits::BODY_BYTES_MAX as u64;
        io::stdin()
            .lock()
            .take(bound)
            .read_line(&mut line)
            .map_err(|source| Error::System { action: "read standard input".into(), source })?;
        line.trim_end()
    } else {
        text
    };
    hex::decode(text).ok_or_else(|| Error::Usage("--body: that is not hex; give pairs of hex digits".into()))
}

/// The reply in words, and what it means if it is a no.
async fn ask(args: &SendArgs, target: &EdgeTarget, given: Option<Vec<u8>>) -> Result<(String, Option<Failure>), Error> {
    let persona = Persona::generate(args.platform, args.request.index, args.request.seed);
    let connection = dial::edge(target, persona.tls).await?;
    let mut link = Link::new(connection, Clock::system());
    let body = match given {
        Some(body) => body,
        None => built(args, &link)?,
    };
    let replied = match link.request(Step::Request, args.platform, body).await {
        Ok(Answer::Accepted) => (word(args.format, "accepted"), None),
        Ok(Answer::Tunnel(offer)) => (tunnel(args.format, &offer), None),
        Err(failure @ Failure::Refused { .. }) => (word(args.format, "refused"), Some(failure)),
        Err(failure @ Failure::Later { .. }) => (word(args.format, "later"), Some(failure)),
        Err(failure) => return Err(failure.into()),
    };
    link.close().await;
    Ok(replied)
}

/// The request of the options with a real proof. One whose fields were changed is proved over what the edge will read in
/// it; if the edge can read nothing valid in it, it goes out as it is.
fn built(args: &SendArgs, link: &Link) -> Result<Vec<u8>, Error> {
    let draft = Draft::new(args.platform, &args.request)?;
    if args.request.fields.is_empty() && args.request.fields_hex.is_empty() {
        return Ok(draft.prove(link.exporter())?.to_body());
    }
    let body = build::body(args.platform, &args.request)?;
    match Validator::default().check(args.platform, &body) {
        Ok(checked) => Ok(draft.with_content(checked.into_inner().content).prove(link.exporter())?.to_body()),
        Err(_) => Ok(body),
    }
}

fn word(format: Format, word: &str) -> String {
    match format {
        Format::Text => format!("{word}\n"),
        Format::Json => format!("{{\"reply\":\"{word}\"}}\n"),
    }
}

/// The node's pin as pin options read it: bare digits would be read as the pin of a whole certificate.
fn pin(grant: &Grant) -> String {
    let kind = match grant.node_pin.kind {
        PinKind::Leaf => "leaf",
        PinKind::Spki => "spki",
    };
    format!("{kind}:{}", hex::encode(&grant.node_pin.digest))
}

fn tunnel(format: Format, offer: &relay_wire::frame::reply::Offer) -> String {
    // Shown unverified: this command does not know the master's key. The token stays unsaid, whoever has it has the tunnel.
    let grant = Grant::decode(&offer.grant.grant);
    match (format, grant) {
        (Format::Text, Ok(grant)) => format!(
            "tunnel for {:?}\n  device  {}\n  user    {}\n  node    {}\n  pin     {}\n  expires {} (unix seconds)\n",
            offer.lifetime,
            grant.device_id,
            grant.user,
            grant.node,
            pin(&grant),
            grant.expires_at.unix_seconds()
        ),
        (Format::Text, Err(_)) => format!("tunnel for {:?}, with a grant that does not decode\n", offer.lifetime),
        (Format::Json, grant) => {
            let grant = grant.ok().map(|grant| {
                serde_json::json!({
                    "device": grant.device_id.to_string(),
                    "user": grant.user,
                    "node": grant.node.as_str(),
                    "node_pin": pin(&grant),
                    "expires_unix_s": grant.expires_at.unix_seconds(),
                })
            });
            let lifetime = u64::try_from(offer.lifetime.as_millis()).unwrap_or(u64::MAX);
            format!("{}\n", serde_json::json!({ "reply": "tunnel", "lifetime_ms": lifetime, "grant": grant }))
        }
    }
}
