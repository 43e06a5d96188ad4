//! SPEC §5.2: field tables as data, and the one judge of which fields a body may, must and may not have.

use crate::error::{Code, Rejection};

/// When a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Always; its absence is `E_MISSING`.
    Required,
    /// As the device likes.
    Optional,
    /// As a cross-field rule says; breaking it is `E_CONFLICT`. Names the rule.
    Conditional(&'static str),
}

/// One row of a platform's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name on the wire; for Windows, whose wire has numbers, its name in the table.
    pub name: &'static str,
    /// When it is there.
    pub presence: Presence,
    /// Whether it may be there more than once.
    pub repeats: bool,
    /// Its grammar in words, for documentation and explanation.
    pub grammar: &'static str,
}

impl Field {
    /// A field that is always there.
    #[must_use]
    pub const fn required(name: &'static str, grammar: &'static str) -> Self {
        Self { name, presence: Presence::Required, repeats: false, grammar }
    }

    /// A field that may be absent.
    #[must_use]
    pub const fn optional(name: &'static str, grammar: &'static str) -> Self {
        Self { name, presence: Presence::Optional, repeats: false, grammar }
    }

    /// A field that `rule` requires or forbids.
    #[must_use]
    pub const fn conditional(name: &'static str, rule: &'static str, grammar: &'static str) -> Self {
        Self { name, presence: Presence::Conditional(rule), repeats: false, grammar }
    }

    /// The field, repeatable.
    #[must_use]
    pub const fn repeating(self) -> Self {
        Self { repeats: true, ..self }
    }
}

/// The place of `name` in `fields`.
pub(crate) fn find(fields: &[Field], name: &[u8]) -> Option<usize> {
    fields.iter().position(|field| field.name.as_bytes() == name)
}

/// What one pass over the names of a body (or of one object of it) found, asked step by step.
///
/// The steps are apart because each must be finished for the whole body before the next begins, and a JSON body has
/// several objects. A flat body asks [`Survey::judge`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Survey {
    fields: &'static [Field],
    seen: u64,
    last: usize,
    unknown: bool,
    duplicate: Option<&'static str>,
    disorder: Option<&'static str>,
}

impl Survey {
    /// A survey that has met no name yet. A table has at most 64 rows.
    pub(crate) const fn new(fields: &'static [Field]) -> Self {
        assert!(fields.len() <= 64);
        Self { fields, seen: 0, last: 0, unknown: false, duplicate: None, disorder: None }
    }

    /// The place of `name` in the table, looked for first where it belongs: at and behind the field met last.
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        let (before, behind) = self.fields.split_at_checked(self.last)?;
        find(behind, name).map(|place| self.last + place).or_else(|| find(before, name))
    }

    /// Finds the place of the next name of the body, and meets it.
    pub(crate) fn meet_name(&mut self, name: &[u8]) -> Option<usize> {
        let place = self.find(name);
        self.meet(place);
        place
    }

    /// Meets the next name of the body: its place in the table, or `None` if the table lacks it.
    pub(crate) fn meet(&mut self, place: Option<usize>) {
        let Some((place, field)) = place.and_then(|place| Some((place, self.fields.get(place)?))) else {
            self.unknown = true;
            return;
        };
        let bit = 1 << place;
        if self.seen & bit != 0 && !field.repeats && self.duplicate.is_none() {
            self.duplicate = Some(field.name);
        }
        if place < self.last && self.disorder.is_none() {
            self.disorder = Some(field.name);
        }
        self.seen |= bit;
        self.last = place;
    }

    /// `E_UNKNOWN` if a name was met that the table lacks.
    pub(crate) const fn unknown(&self) -> Result<(), Rejection> {
        if self.unknown { Err(Rejection::new(Code::Unknown, "name")) } else { Ok(()) }
    }

    /// `E_DUPLICATE` if a field that does not repeat was met twice.
    pub(crate) fn duplicate(&self) -> Result<(), Rejection> {
        self.duplicate.map_or(Ok(()), |field| Err(Rejection::new(Code::Duplicate, field)))
    }

    /// `E_ORDER` if a field was met after one whose place is later.
    pub(crate) fn order(&self) -> Result<(), Rejection> {
        self.disorder.map_or(Ok(()), |field| Err(Rejection::new(Code::Order, field)))
    }

    /// `E_MISSING` if a required field was not met.
    pub(crate) fn missing(&self) -> Result<(), Rejection> {
        let absent =
            |(place, field): &(usize, &Field)| field.presence == Presence::Required && self.seen & (1 << place) == 0;
        match self.fields.iter().enumerate().find(absent) {
            Some((_, field)) => Err(Rejection::new(Code::Missing, field.name)),
            None => Ok(()),
        }
    }

    /// All four steps, for a body of one flat, ordered list.
    pub(crate) fn judge(&self) -> Result<(), Rejection> {
        self.unknown()?;
        self.duplicate()?;
        self.order()?;
        self.missing()
    }
}

/// Names the field in which a shared grammar failed: `grammar::user(text).map_err(at("user"))?`.
pub(crate) const fn at(field: &'static str) -> impl Fn(Code) -> Rejection {
    move |code| Rejection::new(code, field)
}

/// The values of a flat body, each at its field's place; of a field that repeats, the first.
pub(crate) struct Slots<V, const N: usize> {
    fields: &'static [Field],
    values: [Option<V>; N],
}

impl<V: Copy, const N: usize> Slots<V, N> {
    /// Slots for a table of `N` rows, all empty.
    pub(crate) const fn new(fields: &'static [Field]) -> Self {
        assert!(fields.len() == N);
        Self { fields, values: [const { None }; N] }
    }

    /// Fills the slot at `place`, if there is such a place and its slot is empty.
    pub(crate) fn fill(&mut self, place: Option<usize>, value: V) {
        if let Some(slot @ None) = place.and_then(|place| self.values.get_mut(place)) {
            *slot = Some(value);
        }
    }

    /// Judges the value at `place` if there is one.
    pub(crate) fn optional<T>(
        &self,
        place: usize,
        judge: impl FnOnce(V) -> Result<T, Code>,
    ) -> Result<Option<T>, Rejection> {
        self.values[place].map(judge).transpose().map_err(at(self.fields[place].name))
    }

    /// Judges the value at `place`, which a [`Survey`] has found to be there.
    pub(crate) fn required<T>(&self, place: usize, judge: impl FnOnce(V) -> Result<T, Code>) -> Result<T, Rejection> {
        self.optional(place, judge)?.ok_or(Rejection::new(Code::Missing, self.fields[place].name))
    }
}

/// The place of `name` in `fields`, found when the program is compiled.
pub(crate) const fn place(fields: &[Field], name: &str) -> usize {
    let mut place = 0;
    while place < fields.len() {
        if equal(fields[place].name.as_bytes(), name.as_bytes()) {
            return place;
        }
        place += 1;
    }
    panic!("no such field")
}

const fn equal(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}
