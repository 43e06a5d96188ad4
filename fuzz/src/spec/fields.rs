//! The fields of a body: which names it may, must and may not have; each value in table order; C1 and C2.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};

use super::{Meaning, Platform, Refusal, Role, Row, Value, When, refusal, rows, time, value};

/// Values with the place of their rows, in table order once [`Fields::named`] has judged them.
pub(super) struct Fields<'a> {
    pub(super) platform: Platform,
    list: Vec<(usize, Value<'a>)>,
}

impl<'a> Fields<'a> {
    /// `E_UNKNOWN`, `E_DUPLICATE`, `E_ORDER`, `E_MISSING` of a flat body. A value without a place has an unknown name.
    pub(super) fn named(platform: Platform, named: Vec<(Option<usize>, Value<'a>)>) -> Result<Self, Refusal> {
        let table = rows(platform);
        let mut list = Vec::with_capacity(named.len());
        for (place, value) in named {
            list.push((place.ok_or(refusal("E_UNKNOWN", "name"))?, value));
        }
        let mut counts = [0_u32; 64];
        for (place, _) in &list {
            counts[*place] += 1;
        }
        let counted = || table.iter().zip(counts);
        if let Some((row, _)) = counted().find(|(row, count)| *count > 1 && !row.repeats) {
            return Err(refusal("E_DUPLICATE", row.name));
        }
        if let Some(pair) = list.windows(2).find(|pair| pair[1].0 < pair[0].0) {
            return Err(refusal("E_ORDER", table[pair[1].0].name));
        }
        if let Some((row, _)) = counted().find(|(row, count)| *count == 0 && row.when == When::Required) {
            return Err(refusal("E_MISSING", row.name));
        }
        Ok(Self { platform, list })
    }

    /// Fields whose names are judged already, in table order.
    pub(super) const fn sorted(platform: Platform, list: Vec<(usize, Value<'a>)>) -> Self {
        Self { platform, list }
    }

    /// Each value, field by field in table order.
    pub(super) fn judge(&self) -> Result<(), Refusal> {
        self.list.iter().try_for_each(|(place, value)| {
            value::judge(self.platform, *place, value).map_err(|code| refusal(code, rows(self.platform)[*place].name))
        })
    }

    fn each(&self) -> impl Iterator<Item = (&'static Row, &Value<'a>)> {
        self.list.iter().map(|(place, value)| (&rows(self.platform)[*place], value))
    }

    /// The value of a field by its name.
    pub(super) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.each().find(|(row, _)| row.name == name).map(|(_, value)| value)
    }

    /// The same of a field that holds text; empty if it is absent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_text).unwrap_or_default()
    }

    /// What the values, all judged, say; and C1 and C2.
    pub(super) fn meaning(&self) -> Result<Meaning, Refusal> {
        let mut meaning = Meaning { platform: Some(self.platform), ..Meaning::default() };
        let mut proofs = 0;
        let mut path_fields = 0;
        for (row, value) in self.each() {
            let text = value.as_text().unwrap_or_default();
            match row.role {
                Role::Operation => meaning.operation = self.operation(row, value),
                Role::Id => text.strip_prefix("urn:wp:").unwrap_or(text).clone_into(&mut meaning.device_id),
                Role::Proof => {
                    proofs += 1;
                    meaning.proof = proof(text);
                }
                Role::User => meaning.user = Some(text.to_owned()),
                Role::Credentials => {
                    let (credential, user) = value::credentials(text).unwrap_or_default();
                    proofs += 1;
                    meaning.proof = proof(&credential);
                    meaning.user = Some(user).filter(|user| !user.is_empty());
                }
                Role::SentAt => meaning.sent_at = self.ticks(value),
                Role::Nonce => meaning.nonce = nonce(value),
                Role::Node => meaning.node = Some(text.to_owned()),
                Role::Path => {
                    path_fields += 1;
                    meaning.paths.extend(value.paths());
                }
                Role::Estimate => meaning.estimate = value.number(),
                Role::Fact => meaning.facts.push((row.name, fact(row, value))),
                Role::Silent => {}
            }
        }
        let registers = meaning.operation == "register";
        // 32 bytes are a MASS proof, 64 a DEV proof.
        let mass = meaning.proof.len() == 32;
        if proofs != 1 || mass != registers || meaning.user.is_some() != registers {
            return Err(refusal("E_CONFLICT", "C1"));
        }
        let transfers = matches!(meaning.operation, "backup" | "restore" | "sync");
        let most = match self.platform {
            Platform::Windows | Platform::MacOs | Platform::Linux => 64,
            Platform::Ios | Platform::Android | Platform::WindowsPhone => 16,
        };
        let good = if transfers {
            meaning.node.is_some() && (1..=most).contains(&meaning.paths.len())
        } else {
            meaning.node.is_none() && path_fields == 0
        };
        if good { Ok(meaning) } else { Err(refusal("E_CONFLICT", "C2")) }
    }

    fn operation(&self, row: &Row, value: &Value<'_>) -> &'static str {
        let place = if let Value::Bytes(bytes) = value {
            value::little_endian(bytes).checked_sub(1).and_then(|place| usize::try_from(place).ok())
        } else {
            value.as_text().and_then(|text| row.words.iter().position(|word| *word == text))
        };
        place.and_then(|place| super::OPERATIONS.get(place)).copied().unwrap_or_default()
    }

    /// 100 ns since 1970.
    fn ticks(&self, value: &Value<'_>) -> u64 {
        let text = value.as_text().unwrap_or_default();
        let number = |digits: &str| digits.parse::<u64>().unwrap_or_default();
        let fraction = |width: u32| number(&text[20..text.len() - 1]) * 10_u64.pow(7 - width);
        let date = || time::unix_seconds(text).unwrap_or_default() * 10_000_000;
        match self.platform {
            Platform::Windows => value.number().unwrap_or_default().saturating_sub(11_644_473_600 * 10_000_000),
            Platform::MacOs => date(),
            Platform::Linux => number(text) * 10_000_000,
            Platform::Ios => date() + fraction(3),
            Platform::Android => number(text) * 10_000,
            Platform::WindowsPhone => date() + fraction(7),
        }
    }
}

/// The bytes of `M1.` or `D1.` and base64url.
fn proof(text: &str) -> Vec<u8> {
    text.get(3..).and_then(|encoded| BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()).unwrap_or_default()
}

fn nonce(value: &Value<'_>) -> Vec<u8> {
    if let Value::Bytes(bytes) = value {
        return bytes.to_vec();
    }
    let text = value.as_text().unwrap_or_default();
    let decoded = if text.len() == 32 { HEXLOWER.decode(text.as_bytes()) } else { BASE64.decode(text.as_bytes()) };
    decoded.unwrap_or_default()
}

/// A fact as text: as it is spelled, or where two spellings mean the same, in one of them.
fn fact(row: &Row, value: &Value<'_>) -> String {
    match value {
        Value::Bytes(bytes) if row.name == "appVersion" => {
            let number = |place: usize| value::little_endian(&bytes[place..place + 2]);
            format!("{}.{}.{}.{}", number(2), number(0), number(6), number(4))
        }
        Value::Bytes(bytes) if row.name == "power" => {
            format!("{} {} {} {}", bytes[0], bytes[1], bytes[2], bytes[3])
        }
        Value::Bytes(bytes) => value::little_endian(bytes).to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Number(text) if row.name == "power.level" => level(text),
        Value::Text(text) | Value::Number(text) | Value::Data(text) | Value::Date(text) => text.clone().into_owned(),
        Value::List(_) | Value::Object | Value::Null => String::new(),
    }
}

/// A battery's level in units of 10^-18, or `-1`: `1`, `1.0` and `1.00` are one level.
fn level(text: &str) -> String {
    if text.starts_with('-') {
        return "-1".to_owned();
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let units = format!("{whole}{fraction:0<18}");
    let digits = units.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}
