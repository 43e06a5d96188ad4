//! What `nft -j list ruleset` wrote: tables, chains, sets and rules, not judged yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{error::Error, network::Family};

/// Bytes of a saved rule set at most.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Rules at most.
const RULES_MAX: usize = 10_000;

/// A saved rule set.
#[derive(Debug, Default)]
pub struct Saved {
    /// Its chains, in the order of the file.
    pub chains: Vec<Chain>,
    /// Elements of named sets, by family, table and name.
    pub sets: BTreeMap<(String, String, String), Vec<Value>>,
    /// Tables whose chains see no packet: `flags dormant`.
    pub dormant: Vec<String>,
}

/// A chain.
#[derive(Debug)]
pub struct Chain {
    /// The table's family: `inet`, `ip`, `ip6`, ...
    pub family: String,
    /// The table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where it hangs, unless other chains jump to it.
    pub base: Option<Base>,
    /// Its rules.
    pub rules: Vec<SavedRule>,
}

/// Where a chain hangs.
#[derive(Debug)]
pub struct Base {
    /// `forward`, `input`, ...
    pub hook: String,
    /// `filter`, `nat`, `route`.
    pub kind: String,
    /// Whether packets pass that no rule decides.
    pub accepts: bool,
}

/// A rule.
#[derive(Debug)]
pub struct SavedRule {
    /// Its number in the kernel.
    pub handle: Option<u64>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its expressions and statements.
    pub statements: Vec<Value>,
}

impl Chain {
    /// The families of the packets that it sees.
    pub fn families(&self) -> &'static [Family] {
        match self.family.as_str() {
            "inet" => &Family::ALL,
            "ip" => &[Family::Ipv4],
            "ip6" => &[Family::Ipv6],
            _ => &[],
        }
    }

    /// As people name it.
    pub fn title(&self) -> String {
        format!("chain {} of table {} {}", self.name, self.family, self.table)
    }
}

impl Saved {
    /// Reads a file; `-` is standard input.
    ///
    /// # Errors
    /// [`Error`] for what cannot be read or is something else.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let stdin = path.as_os_str() == "-";
        let shown = if stdin { PathBuf::from("standard input") } else { path.to_owned() };
        let mut bytes = Vec::new();
        let read = if stdin {
            io::stdin().take(BYTES_MAX + 1).read_to_end(&mut bytes)
        } else {
            fs::File::open(path).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
        };
        read.map_err(Error::file("read", &shown))?;
        let wrong = |problem: &str| {
            let save = "save it with: nft -j list ruleset > FILE";
            Error::Usage(format!("{}: {problem}; {save}", shown.display()))
        };
        if bytes.len() as u64 > BYTES_MAX {
            return Err(wrong("it is larger than any rule set (16 MiB)"));
        }
        Self::parse(&bytes).map_err(|problem| wrong(&problem))
    }

    /// What nft wrote.
    ///
    /// # Errors
    /// Why it is something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| match bytes.iter().find(|b| !b.is_ascii_whitespace()) {
                None => "it is empty".to_owned(),
                Some(b'{') => format!("it is no JSON ({error})"),
                Some(_) => "it is no JSON; rules as nft's own text are not read".to_owned(),
            })?;
        let list = value.get("nftables").and_then(Value::as_array);
        Self::of(list.ok_or("it is JSON, but not nftables'")?)
    }

    fn of(list: &[Value]) -> Result<Self, String> {
        let mut saved = Self::default();
        let mut rules = 0;
        let mut sleeping = BTreeSet::new();
        for object in list {
            if let Some(table) = object.get("table") {
                if sleeps(table) {
                    sleeping.insert((text(table, "family")?, text(table, "name")?));
                }
            } else if let Some(chain) = object.get("chain") {
                let mut chain = chain_of(chain)?;
                if sleeping.contains(&(chain.family.clone(), chain.table.clone())) {
                    chain.base = None;
                }
                saved.chains.push(chain);
            } else if let Some(set) = object.get("set") {
                // Packets fill these: who is in them now says nothing.
                if ["dynamic", "timeout"].iter().any(|flag| has_flag(set, flag)) {
                    continue;
                }
                let key = (text(set, "family")?, text(set, "table")?, text(set, "name")?);
                let elements = set.get("elem").and_then(Value::as_array).cloned().unwrap_or_default();
                saved.sets.insert(key, elements);
            } else if let Some(rule) = object.get("rule") {
                rules += 1;
                if rules > RULES_MAX {
                    return Err(format!("it has more than {RULES_MAX} rules"));
                }
                saved.add_rule(rule)?;
            }
        }
        saved.dormant = sleeping.into_iter().map(|(family, name)| format!("{family} {name}")).collect();
        Ok(saved)
    }

    fn add_rule(&mut self, rule: &Value) -> Result<(), String> {
        let (family, table, name) = (text(rule, "family")?, text(rule, "table")?, text(rule, "chain")?);
        let chain = self.chain_mut(&family, &table, &name);
        let chain = chain.ok_or_else(|| format!("a rule is in the chain {name}, which is not there"))?;
        chain.rules.push(SavedRule {
            handle: rule.get("handle").and_then(Value::as_u64),
            comment: rule.get("comment").and_then(Value::as_str).map(ToOwned::to_owned),
            statements: rule.get("expr").and_then(Value::as_array).cloned().unwrap_or_default(),
        });
        Ok(())
    }

    fn chain_mut(&mut self, family: &str, table: &str, name: &str) -> Option<&mut Chain> {
        self.chains.iter_mut().find(|chain| chain.family == family && chain.table == table && chain.name == name)
    }

    /// The chain of that name in the table of another.
    pub fn beside(&self, chain: &Chain, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|one| one.family == chain.family && one.table == chain.table && one.name == name)
    }

    /// The elements of a named set in the table of a chain.
    pub fn set(&self, chain: &Chain, name: &str) -> Option<&[Value]> {
        self.sets.get(&(chain.family.clone(), chain.table.clone(), name.to_owned())).map(Vec::as_slice)
    }
}

/// The flags of an object: nft writes one as a text and several as a list.
fn flags(object: &Value) -> Vec<&str> {
    match object.get("flags") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(flag) => flag.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

fn has_flag(object: &Value, flag: &str) -> bool {
    flags(object).contains(&flag)
}

/// Whether the chains of a table see no packet. nft 1.0 writes the table's name in the place of the flag `dormant`, so every
/// flag that is not known to be another stands for it.
fn sleeps(table: &Value) -> bool {
    flags(table).iter().any(|flag| !["owner", "persist"].contains(flag))
}

fn chain_of(chain: &Value) -> Result<Chain, String> {
    let base = chain.get("hook").and_then(Value::as_str).map(|hook| Base {
        hook: hook.to_owned(),
        kind: chain.get("type").and_then(Value::as_str).unwrap_or("filter").to_owned(),
        // Without a policy a chain accepts.
        accepts: chain.get("policy").and_then(Value::as_str) != Some("drop"),
    });
    Ok(Chain {
        family: text(chain, "family")?,
        table: text(chain, "table")?,
        name: text(chain, "name")?,
        base,
        rules: Vec::new(),
    })
}

fn text(object: &Value, key: &str) -> Result<String, String> {
    let value = object.get(key).and_then(Value::as_str);
    value.map(ToOwned::to_owned).ok_or_else(|| format!("an object in it has no {key}"))
}
