//! The hunks of a unified diff, and where they belong in a text that may have moved since.

/// Lines of context that may differ at either end of a hunk, as `patch` allows.
const FUZZ: usize = 2;

/// A run of lines that becomes another.
#[derive(Clone, Debug)]
pub struct Hunk {
    /// Where it was, counted from 0.
    start: usize,
    old: Vec<String>,
    new: Vec<String>,
    /// Lines of context before and behind what changes.
    before: usize,
    behind: usize,
    /// What it becomes ends without a line end.
    open: bool,
}

/// The lines of a patch.
pub struct Lines<'a>(std::iter::Peekable<std::str::SplitTerminator<'a, char>>);

impl<'a> Lines<'a> {
    /// All lines of `text`.
    pub fn new(text: &'a str) -> Self {
        Self(text.split_terminator('\n').peekable())
    }

    /// The next line.
    pub fn next(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    /// What stands behind `prefix` in the next line, which is taken if it begins so.
    pub fn take_prefixed(&mut self, prefix: &str) -> Option<&'a str> {
        let rest = self.0.peek()?.strip_prefix(prefix)?;
        self.0.next();
        Some(rest)
    }

    /// The new name, in the line behind `rename from`.
    pub fn peek_rename(&mut self) -> Option<&'a str> {
        self.0.peek()?.strip_prefix("rename to ")
    }
}

impl Hunk {
    /// Reads what stands behind `@@ -1,2 +3,4 @@`.
    ///
    /// # Errors
    /// If the counts and the lines do not agree.
    pub fn parse(head: &str, lines: &mut Lines<'_>) -> Result<Self, String> {
        let broken = || format!("has a damaged hunk: {head}");
        let mut words = head.split_ascii_whitespace().skip(1);
        let (start, mut olds) = words.next().and_then(|word| range(word.strip_prefix('-')?)).ok_or_else(broken)?;
        let (_, mut news) = words.next().and_then(|word| range(word.strip_prefix('+')?)).ok_or_else(broken)?;
        // An insertion is placed behind its line, everything else begins with it.
        let start = if olds == 0 { start } else { start.saturating_sub(1) };
        let mut hunk = Self { start, old: Vec::new(), new: Vec::new(), before: 0, behind: 0, open: false };
        let mut changed = false;
        let mut ends_new = false;
        while olds > 0 || news > 0 {
            let line = lines.next().ok_or_else(broken)?;
            // Mailers and editors drop the space of an empty line.
            let (kind, text) = line.split_at_checked(1).unwrap_or((" ", ""));
            let (is_old, is_new) = match kind {
                " " => (true, true),
                "-" => (true, false),
                "+" => (false, true),
                "\\" => {
                    hunk.open |= ends_new;
                    continue;
                }
                _ => return Err(broken()),
            };
            ends_new = is_new;
            if is_old {
                olds = olds.checked_sub(1).ok_or_else(broken)?;
                hunk.old.push(text.to_owned());
            }
            if is_new {
                news = news.checked_sub(1).ok_or_else(broken)?;
                hunk.new.push(text.to_owned());
            }
            if is_old && is_new {
                hunk.behind += 1;
                hunk.before += usize::from(!changed);
            } else {
                hunk.behind = 0;
                changed = true;
            }
        }
        // `\ No newline at end of file` speaks of the line before it.
        if lines.take_prefixed("\\").is_some() {
            hunk.open |= ends_new;
        }
        Ok(hunk)
    }

    /// The place in `lines` at which it fits, nearest to where it was and not before `from`; and how much of its context
    /// had to be left out at the ends.
    fn place(&self, lines: &[&str], from: usize, shift: isize) -> Option<(usize, usize)> {
        // A place behind the text's end is as good as the end.
        let wanted = self.start.saturating_add_signed(shift).min(lines.len());
        for fuzz in 0..=FUZZ {
            let (cut_before, cut_behind) = (fuzz.min(self.before), fuzz.min(self.behind));
            if fuzz > 0 && cut_before < fuzz && cut_behind < fuzz {
                break;
            }
            let old = self.old.get(cut_before..self.old.len() - cut_behind)?;
            if old.is_empty() && !self.old.is_empty() {
                break;
            }
            let wanted = wanted + cut_before;
            let fits = |at: &usize| {
                *at >= from
                    && lines.get(*at..*at + old.len()).is_some_and(|found| found.iter().zip(old).all(|(a, b)| a == b))
            };
            let near = (0..=lines.len())
                .flat_map(|distance| [wanted.checked_sub(distance), Some(wanted + distance)])
                .flatten()
                .find(fits);
            if let Some(at) = near {
                return Some((at, fuzz));
            }
        }
        None
    }
}

/// `12` or `12,3`: a line and a count. No file has more lines than a u32 counts.
fn range(text: &str) -> Option<(usize, usize)> {
    let number = |text: &str| usize::try_from(text.parse::<u32>().ok()?).ok();
    match text.split_once(',') {
        Some((start, count)) => Some((number(start)?, number(count)?)),
        None => Some((number(text)?, 1)),
    }
}

/// `text` with all `hunks` applied, in their order.
///
/// # Errors
/// The hunk that does not fit.
pub fn apply(hunks: &[Hunk], text: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    let mut open = !text.is_empty() && !text.ends_with('\n');
    let mut out: Vec<&str> = Vec::with_capacity(lines.len());
    let mut from = 0;
    let mut shift = 0;
    for hunk in hunks {
        let misses = || format!("the lines of its hunk at line {} are not there", hunk.start + 1);
        let (at, fuzz) = hunk.place(&lines, from, shift).ok_or_else(misses)?;
        let (cut_before, cut_behind) = (fuzz.min(hunk.before), fuzz.min(hunk.behind));
        let olds = hunk.old.len() - cut_before - cut_behind;
        shift = at.cast_signed() - (hunk.start + cut_before).cast_signed();
        out.extend(&lines[from..at]);
        out.extend(hunk.new[cut_before..hunk.new.len() - cut_behind].iter().map(String::as_str));
        from = at + olds;
        if from == lines.len() && cut_behind == 0 {
            open = hunk.open;
        }
    }
    out.extend(&lines[from..]);
    let mut text = out.join("\n");
    if !out.is_empty() && !open {
        text.push('\n');
    }
    Ok(text)
}
