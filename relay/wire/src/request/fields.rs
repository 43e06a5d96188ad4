//! SPEC §5.2: field tables as data, and the one judge of which fields a body may, must and may not have.

use core::iter::Peekable;

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

/// The values of a flat body whose fields stand in table order, taken one field after the other.
///
/// A [`Survey`] has judged the names before, so that what is next is what the table says is next.
pub(crate) struct Values<V, I: Iterator<Item = (&'static str, V)>> {
    rest: Peekable<I>,
}

impl<V, I: Iterator<Item = (&'static str, V)>> Values<V, I> {
    /// Over pairs of a field's name in the table and its value.
    pub(crate) fn new(values: I) -> Self {
        Self { rest: values.peekable() }
    }

    /// Judges the next value if it is that of `field`.
    pub(crate) fn optional<T>(
        &mut self,
        field: &'static str,
        judge: impl FnOnce(V) -> Result<T, Code>,
    ) -> Result<Option<T>, Rejection> {
        match self.rest.next_if(|(name, _)| *name == field) {
            Some((_, value)) => judge(value).map(Some).map_err(at(field)),
            None => Ok(None),
        }
    }

    /// Judges the next value, which is that of `field`.
    pub(crate) fn required<T>(
        &mut self,
        field: &'static str,
        judge: impl FnOnce(V) -> Result<T, Code>,
    ) -> Result<T, Rejection> {
        self.optional(field, judge)?.ok_or(Rejection::new(Code::Missing, field))
    }
}
