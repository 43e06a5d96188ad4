//! A chain as a list of decisions, the first of which counts: jumps followed, sets and verdict maps taken apart.

use serde_json::Value;

use super::{
    expression::{Matched, matched, with_value},
    saved::{Chain, Saved, SavedRule},
    space::{Region, TooTangled},
};
use crate::rules::Direction;

/// Jumps within jumps at most; the kernel allows 16.
const DEPTH_MAX: usize = 16;
/// Decisions of a chain at most.
const DECISIONS_MAX: usize = 50_000;

/// Where a decision stands in the saved rule set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The chain.
    pub chain: String,
    /// The rule's handle; `None` for the chain's policy.
    pub handle: Option<u64>,
    /// The rule's comment.
    pub comment: Option<String>,
}

/// What happens to packets.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Which.
    pub region: Region,
    /// Whether they pass.
    pub accepts: bool,
    /// Who says so.
    pub at: Location,
    /// What else the rule looks at, which the comparison leaves out.
    pub remarks: Vec<String>,
}

/// A base chain, flattened.
#[derive(Debug, Default)]
pub struct Flat {
    /// The first that holds a packet decides about it; every packet is held by one.
    pub decisions: Vec<Decision>,
    /// Rules that are not understood or not counted, with the reason.
    pub unread: Vec<(Location, String)>,
}

/// What a rule does at its end.
enum Verdict {
    Accept,
    Drop,
    Jump(String),
    Goto(String),
    Return,
}

/// Flattens a base chain.
///
/// # Errors
/// [`TooTangled`]
pub fn flatten(saved: &Saved, chain: &Chain, direction: Direction) -> Result<Flat, TooTangled> {
    let mut flat = Flat::default();
    let all = Region::all(direction, chain.families());
    let mut walk = Walk { saved, all: all.clone(), base: chain, flat: &mut flat };
    walk.chain(chain, all.clone(), 0)?;
    let accepts = chain.base.as_ref().is_none_or(|base| base.accepts);
    let at = Location { chain: chain.title(), handle: None, comment: None };
    flat.decisions.push(Decision { region: all, accepts, at, remarks: Vec::new() });
    Ok(flat)
}

struct Walk<'a> {
    saved: &'a Saved,
    all: Region,
    /// Which interface is whose is known from the base chain, for chains that it jumps to as well.
    base: &'a Chain,
    flat: &'a mut Flat,
}

/// What the statements of a rule come to, so far.
struct Reading {
    region: Region,
    remarks: Vec<String>,
    verdicts: Vec<(Region, Verdict)>,
}

impl Walk<'_> {
    /// The decisions of a chain for packets in `scope`.
    fn chain(&mut self, chain: &Chain, mut scope: Region, depth: usize) -> Result<(), TooTangled> {
        for rule in &chain.rules {
            let at = Location { chain: chain.title(), handle: rule.handle, comment: rule.comment.clone() };
            let reading = match self.read(rule, chain)? {
                Ok(reading) => reading,
                Err(what) => {
                    self.flat.unread.push((at, what));
                    continue;
                }
            };
            for (region, verdict) in reading.verdicts {
                let region = region.both(&scope)?;
                match verdict {
                    Verdict::Accept => self.decide(region, true, &at, &reading.remarks)?,
                    // A drop of some packets says nothing about which.
                    Verdict::Drop if !reading.remarks.is_empty() => {
                        let what = format!("drops {}: taken not to concern what is needed", reading.remarks.join(", "));
                        self.flat.unread.push((at.clone(), what));
                    }
                    Verdict::Drop => self.decide(region, false, &at, &[])?,
                    Verdict::Return => scope = scope.without(&region)?,
                    Verdict::Jump(name) => self.jump(chain, &name, region, depth, &at)?,
                    Verdict::Goto(name) => {
                        scope = scope.without(&region)?;
                        self.jump(chain, &name, region, depth, &at)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn jump(&mut self, from: &Chain, to: &str, scope: Region, depth: usize, at: &Location) -> Result<(), TooTangled> {
        match self.saved.beside(from, to) {
            Some(chain) if depth < DEPTH_MAX => self.chain(chain, scope, depth + 1),
            Some(_) => Err(TooTangled),
            None => {
                self.flat.unread.push((at.clone(), format!("jumps to the chain {to}, which is not there")));
                Ok(())
            }
        }
    }

    fn decide(&mut self, region: Region, accepts: bool, at: &Location, remarks: &[String]) -> Result<(), TooTangled> {
        if self.flat.decisions.len() >= DECISIONS_MAX {
            return Err(TooTangled);
        }
        if !region.is_empty() {
            self.flat.decisions.push(Decision { region, accepts, at: at.clone(), remarks: remarks.to_vec() });
        }
        Ok(())
    }

    /// What a rule says; the inner error is what is not understood.
    fn read(&self, rule: &SavedRule, chain: &Chain) -> Result<Result<Reading, String>, TooTangled> {
        let mut reading = Reading { region: self.all.clone(), remarks: Vec::new(), verdicts: Vec::new() };
        for statement in &rule.statements {
            if let Some(verdict) = verdict(statement) {
                reading.verdicts.push((reading.region.clone(), verdict));
                return Ok(Ok(reading));
            }
            if let Some(map) = statement.get("vmap") {
                if let Err(what) = self.map(map, chain, &mut reading)? {
                    return Ok(Err(what));
                }
                continue;
            }
            match self.statement(statement, chain, &mut reading) {
                Ok(()) => {}
                Err(what) => return Ok(Err(what)),
            }
        }
        Ok(Ok(reading))
    }

    /// A statement that decides nothing.
    fn statement(&self, statement: &Value, chain: &Chain, reading: &mut Reading) -> Result<(), String> {
        if let Some(expression) = statement.get("match") {
            // A chain that is jumped to sees the interfaces of the base chain.
            let seen = Chain {
                family: chain.family.clone(),
                table: chain.table.clone(),
                name: chain.name.clone(),
                base: self.base.base.as_ref().map(|base| super::saved::Base {
                    hook: base.hook.clone(),
                    kind: base.kind.clone(),
                    accepts: base.accepts,
                }),
                rules: Vec::new(),
            };
            match matched(&reading.region, expression, &seen, self.saved)? {
                Matched::Left(region) => reading.region = region,
                Matched::Narrowed(region, remark) => {
                    reading.region = region;
                    reading.remarks.push(remark);
                }
            }
            return Ok(());
        }
        let name = statement.as_object().and_then(|object| object.keys().next()).map_or("", String::as_str);
        match name {
            "counter" | "log" | "continue" | "notrack" | "comment" => Ok(()),
            "limit" => {
                reading.remarks.push("only so many a second".to_owned());
                Ok(())
            }
            "xt" => {
                Err("made by iptables (xt), whose matches nft does not write down; rules of nftables can be judged"
                    .to_owned())
            }
            other => Err(format!("the statement {other:?}")),
        }
    }

    /// A verdict map: each value of its key has a verdict; other packets go on.
    fn map(&self, map: &Value, chain: &Chain, reading: &mut Reading) -> Result<Result<(), String>, TooTangled> {
        let (Some(key), Some(pairs)) = (map.get("key"), map.pointer("/data/set").and_then(Value::as_array)) else {
            return Ok(Err("a named verdict map".to_owned()));
        };
        for pair in pairs {
            let Some([value, result]) = pair.as_array().map(Vec::as_slice) else {
                return Ok(Err("a verdict map of another form".to_owned()));
            };
            let Some(verdict) = verdict(result) else { return Ok(Err("a verdict map of another form".to_owned())) };
            let part = match with_value(&reading.region, key, value, chain, self.saved) {
                Ok(Matched::Left(region)) => region,
                Ok(Matched::Narrowed(_, what)) | Err(what) => return Ok(Err(format!("a verdict map {what}"))),
            };
            reading.region = reading.region.without(&part)?;
            reading.verdicts.push((part, verdict));
        }
        Ok(Ok(()))
    }
}

fn verdict(statement: &Value) -> Option<Verdict> {
    let object = statement.as_object()?;
    let target =
        |name: &str| statement.pointer(&format!("/{name}/target")).and_then(Value::as_str).map(ToOwned::to_owned);
    let name = object.keys().next()?.as_str();
    match name {
        "accept" => Some(Verdict::Accept),
        "drop" | "reject" => Some(Verdict::Drop),
        "return" => Some(Verdict::Return),
        "jump" => target("jump").map(Verdict::Jump),
        "goto" => target("goto").map(Verdict::Goto),
        _ => None,
    }
}
