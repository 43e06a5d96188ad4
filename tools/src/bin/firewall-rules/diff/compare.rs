//! The saved rules against the needed ones: what is missing, what nothing needs, what is wider than needed.

use super::{
    flatten::{Decision, Flat, Location, flatten},
    need::{impossible, region},
    saved::{Chain, Saved, SavedRule},
    space::{Region, TooTangled},
    words,
};
use crate::{
    network::Family,
    rules::{Direction, Place, Rule, RuleSet},
};

/// What a finding says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What is needed does not pass.
    Missing,
    /// Nothing that the rule lets pass is needed.
    Superfluous,
    /// Of what the rule lets pass only a part is needed.
    Wider,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which kind.
    pub kind: Kind,
    /// The needed rule that is missing: its comment.
    pub needed: Option<String>,
    /// The saved rule or policy: what drops, or what lets too much pass.
    pub saved: Option<Location>,
    /// What passes, and what is needed instead.
    pub details: Vec<String>,
    /// A packet for which the two differ.
    pub example: Option<String>,
}

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The differences: missing first.
    pub findings: Vec<Finding>,
    /// Rules that are not understood, and what for.
    pub unread: Vec<(Location, String)>,
    /// What the comparison took for granted.
    pub notes: Vec<String>,
}

/// Compares a saved rule set with what is needed at a place.
///
/// # Errors
/// [`TooTangled`]
pub fn compare(saved: &Saved, set: &RuleSet) -> Result<Comparison, TooTangled> {
    let mut comparison = Comparison::default();
    let directions: &[Direction] = match set.place {
        Place::Firewall1 | Place::Firewall2 => &[Direction::Forward],
        Place::EdgeHost(_) => &[Direction::Input, Direction::Output],
    };
    for table in &saved.dormant {
        comparison.notes.push(format!("the table {table} is dormant: nothing in it sees a packet"));
    }
    elsewhere(saved, &set.place, &mut comparison);
    for direction in directions {
        let hook = Hook::new(saved, set, *direction)?;
        hook.missing(&mut comparison)?;
        hook.too_much(&mut comparison)?;
        hook.unfiltered(&mut comparison);
        for (_, flat) in &hook.chains {
            comparison.unread.extend(flat.unread.iter().cloned());
            for decision in flat.decisions.iter().filter(|decision| !decision.remarks.is_empty()) {
                let note =
                    format!("{}: {}: taken to be right", words::location(&decision.at), decision.remarks.join(", "));
                if !comparison.notes.contains(&note) {
                    comparison.notes.push(note);
                }
            }
        }
    }
    comparison.findings.sort_by_key(|finding| finding.kind);
    Ok(comparison)
}

/// Chains on the same way that are not compared, where they could drop something or leave it untracked.
fn elsewhere(saved: &Saved, place: &Place, comparison: &mut Comparison) {
    for chain in &saved.chains {
        let Some(base) = &chain.base else { continue };
        let on_the_way = match (base.hook.as_str(), place) {
            ("prerouting" | "postrouting" | "ingress" | "egress", _) => true,
            ("output", Place::EdgeHost(_)) => base.kind == "route",
            _ => false,
        };
        if on_the_way && base.kind != "nat" && (!base.accepts || chain.rules.iter().any(may_drop)) {
            let at = Location { chain: chain.title(), handle: None, comment: None };
            let what = format!("hangs on {}, which is not compared, and could drop what is needed", base.hook);
            comparison.unread.push((at, what));
        }
    }
}

/// Whether a rule does more than look at packets and let them pass.
fn may_drop(rule: &SavedRule) -> bool {
    const HARMLESS: [&str; 7] = ["match", "counter", "log", "accept", "continue", "return", "comment"];
    let names = rule.statements.iter().filter_map(|statement| statement.as_object()?.keys().next());
    names.into_iter().any(|name| !HARMLESS.contains(&name.as_str()))
}

/// Everything in one direction.
struct Hook<'a> {
    direction: Direction,
    /// The base chains there.
    chains: Vec<(&'a Chain, Flat)>,
    needed: Vec<(&'a Rule, Region)>,
    /// All that is needed, and what cannot be.
    granted: Region,
}

impl<'a> Hook<'a> {
    fn new(saved: &'a Saved, set: &'a RuleSet, direction: Direction) -> Result<Self, TooTangled> {
        let name = crate::format::nftables::chain(direction);
        let mut chains = Vec::new();
        for chain in &saved.chains {
            let here = chain.base.as_ref().is_some_and(|base| base.hook == name && base.kind == "filter");
            if here && !chain.families().is_empty() {
                chains.push((chain, flatten(saved, chain, direction)?));
            }
        }
        let rules = set.rules.iter().filter(|rule| rule.direction == direction);
        let needed: Vec<(&Rule, Region)> = rules.map(|rule| (rule, region(rule))).collect();
        let mut granted = impossible(direction);
        for (_, region) in &needed {
            granted.extend(region)?;
        }
        Ok(Self { direction, chains, needed, granted })
    }

    /// What is needed and does not pass every chain.
    fn missing(&self, comparison: &mut Comparison) -> Result<(), TooTangled> {
        for (rule, region) in &self.needed {
            let region = region.without(&impossible(self.direction))?;
            for (chain, flat) in &self.chains {
                let seen = of_families(&region, chain.families())?;
                let dropped = dropped(flat, &seen)?;
                let Some((decision, first)) = dropped.first() else { continue };
                let mut rest = seen.clone();
                for (_, region) in &dropped {
                    rest.remove(region)?;
                }
                let unless = "unless one of the rules that could not be judged lets it pass".to_owned();
                let part = if rest.is_empty() { "none of it passes" } else { "a part of it does not pass" };
                comparison.findings.push(Finding {
                    kind: Kind::Missing,
                    needed: Some(rule.comment()),
                    saved: Some(decision.at.clone()),
                    details: [part.to_owned()].into_iter().chain((!flat.unread.is_empty()).then_some(unless)).collect(),
                    example: words::example(first),
                });
                break;
            }
        }
        Ok(())
    }

    /// What passes every chain and is not needed.
    fn too_much(&self, comparison: &mut Comparison) -> Result<(), TooTangled> {
        for (place, (_, flat)) in self.chains.iter().enumerate() {
            let mut of_rule: Vec<(&Decision, Region)> = Vec::new();
            for (at, decision) in flat.decisions.iter().enumerate().filter(|(_, decision)| decision.accepts) {
                let mut passing = decision.region.clone();
                for before in &flat.decisions[..at] {
                    passing.remove(&before.region)?;
                }
                for (other, (chain, flat)) in self.chains.iter().enumerate() {
                    if other != place {
                        passing = passes(chain, flat, &passing)?;
                    }
                }
                // One rule may be several decisions next to each other: a verdict map, a set of values.
                match of_rule.last_mut().filter(|(known, _)| known.at == decision.at) {
                    Some((_, region)) => region.extend(&passing)?,
                    None => of_rule.push((decision, passing)),
                }
            }
            for (decision, passing) in of_rule {
                self.judge(decision, &passing, comparison)?;
            }
        }
        Ok(())
    }

    fn judge(&self, decision: &Decision, passing: &Region, comparison: &mut Comparison) -> Result<(), TooTangled> {
        let extra = passing.without(&self.granted)?;
        if extra.is_empty() {
            return Ok(());
        }
        let passing = &passing.without(&impossible(self.direction))?;
        let needed = passing.without(&extra)?;
        let policy = decision.at.handle.is_none();
        let kind = if needed.is_empty() && !policy { Kind::Superfluous } else { Kind::Wider };
        let details = match kind {
            Kind::Wider if !policy => words::wider(passing, &needed, &extra),
            Kind::Wider => vec!["lets pass whatever no rule names; the default must be to drop".to_owned()],
            Kind::Superfluous | Kind::Missing => vec![format!("lets pass {}", words::packets(&extra))],
        };
        comparison.findings.push(Finding {
            kind,
            needed: None,
            saved: Some(decision.at.clone()),
            details,
            example: words::example(&extra),
        });
        Ok(())
    }

    /// A family that no chain looks at.
    fn unfiltered(&self, comparison: &mut Comparison) {
        for family in Family::ALL {
            if !self.chains.iter().any(|(chain, _)| chain.families().contains(&family)) {
                let hook = crate::format::nftables::chain(self.direction);
                comparison.findings.push(Finding {
                    kind: Kind::Wider,
                    needed: None,
                    saved: None,
                    details: vec![format!("no chain filters {family} at the hook {hook}: everything passes")],
                    example: None,
                });
            }
        }
    }
}

fn of_families(region: &Region, families: &[Family]) -> Result<Region, TooTangled> {
    let mut seen = Region::default();
    for family in families {
        seen.extend(&region.of(*family))?;
    }
    Ok(seen)
}

/// What of a region a chain drops, by who drops it.
fn dropped<'f>(flat: &'f Flat, region: &Region) -> Result<Vec<(&'f Decision, Region)>, TooTangled> {
    let mut left = region.clone();
    let mut dropped = Vec::new();
    for decision in &flat.decisions {
        if left.is_empty() {
            break;
        }
        if !decision.accepts {
            let here = left.both(&decision.region)?;
            if !here.is_empty() {
                dropped.push((decision, here));
            }
        }
        left.remove(&decision.region)?;
    }
    Ok(dropped)
}

/// What of a region passes a chain; what it does not see passes.
fn passes(chain: &Chain, flat: &Flat, region: &Region) -> Result<Region, TooTangled> {
    let mut passing = region.clone();
    for (_, gone) in dropped(flat, &of_families(region, chain.families())?)? {
        passing.remove(&gone)?;
    }
    Ok(passing)
}
