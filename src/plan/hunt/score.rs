//! The score of a shape: a sum of terms, each of which stands for one thing that a reviewer looks at, and has its reason in words.
//!
//! No term knows a particular attack. Weights come from reasoning and not from a fit: logarithms count whole or by half, a condition
//! counts 1, a misleading name 2, and what the caller looks for 10. The terms themselves were chosen while the labels of one recording
//! were in sight, so figures about that recording flatter them. All terms are bounded but `rare_word`, which grows with the logarithm of
//! the number of events: scores of logs of different sizes can't be compared. Counts are logarithms of shares, so that one more in ten is
//! as much as one more in a thousand of a thousand.
//!
//! The idea that a habit decides, and not rarity alone, is that of conditional anomaly detection (Song, Wu, Jermaine and Ranka,
//! "Conditional Anomaly Detection", IEEE TKDE 2007): how often a parent starts this program, how long this program's command lines are.
//! Smoothing by the frequency of the context is Jelinek and Mercer's (1980).

use std::cell::RefCell;
use std::collections::HashMap;

use crate::functions::{
    Names, addresses, base64_runs, expected_folder, has_double_extension, is_user_writable, obfuscation_marks,
};

/// Defines the terms: the name in SQL, and the formula for people.
macro_rules! terms {
    ($($variant:ident, $name:literal, $meaning:literal;)*) => {
        /// A part of the score.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Term {
            $(#[doc = $meaning] $variant,)*
        }

        impl Term {
            /// All terms, in the order in which they are added up.
            pub(crate) const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name, as in the option `terms` and the fields of the column `terms`.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The formula and its bound, in Markdown.
            pub(crate) fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }
        }
    };
}

terms! {
    Context, "context",
        "How unusual the context is for the subject: -ln((g(s,c) + g(c)/g) / (g(s) + 1)), from 0 to 4, where g counts groups of events that \
         differ in subject, template and context: g(s,c) those of this subject in this context, g(s) of the subject, g(c) of the \
         context, g all. Of several contexts the one that is rarest for the subject. NULL without contexts.";
    ContextSubject, "context_subject",
        "How unusual the subject is for the context: -ln(g(s,c) / g(c)) / 2, at most 2. NULL without contexts.";
    Launcher, "launcher",
        "1 if the context is a program that runs what it is given: a shell, a script host, an office program, a web server, a \
         database. NULL without contexts.";
    Interpreter, "interpreter",
        "1 if the subject itself is such a program.";
    Base64, "base64",
        "ln(1 + bytes of base64) / 2, at most 4.";
    Obfuscation, "obfuscation",
        "ln(1 + `obfuscation_score`) / 2, at most 3/2.";
    RareWord, "rare_word",
        "The lesser of ln(shapes / shapes with the word) and ln(events / events with the word), for the word of the template where that is \
         greatest. Numbers in words are all the same, written #.";
    Places, "places",
        "1 if the path or the text has a folder that ordinary users can write to, or the text an address of another machine.";
    Rarity, "rarity",
        "-ln(share of all events with this subject and the template's delimiters) - 7, from 0 to 4: only what is extreme for a large set.";
    Name, "name",
        "2 if the name is that of a document, or looks like that of a program of the system (of an account that every system has, where \
         there is no path); 1 if a program of the system runs from outside its folder. NULL without subjects.";
    Watch, "watch",
        "10 if the text, the path, the subject or the context has one of the texts of the option `watch`. NULL without that option.";
}

impl Term {
    /// Finds the term of this name, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|term| term.name().eq_ignore_ascii_case(name))
    }
}

/// The earliest event of a shape, and the counts around it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Shape<'a> {
    pub(crate) text: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    /// The context of the shape that is rarest for the subject.
    pub(crate) context: Option<&'a str>,
    /// The word of the template that is in the fewest shapes.
    pub(crate) word: Option<&'a str>,
    /// Whether its events have a text that the caller looks for.
    pub(crate) is_watched: bool,
    /// The numbers of events: of all, of the subject, of the subject in the context, and of the subject with the template's delimiters.
    pub(crate) events_of_all: i64,
    pub(crate) events_of_subject: i64,
    pub(crate) events_in_context: i64,
    pub(crate) events_alike: i64,
    /// The numbers of groups with a context: all, of the subject, of the context, and of the subject in the context.
    pub(crate) groups_of_all: i64,
    pub(crate) groups_of_subject: i64,
    pub(crate) groups_of_context: i64,
    pub(crate) groups_in_context: i64,
    /// The numbers of shapes, and of those with the word, and of the events of these.
    pub(crate) shapes_of_all: i64,
    pub(crate) shapes_with_word: i64,
    pub(crate) events_with_word: i64,
}

/// A score with its explanation.
#[derive(Debug, PartialEq)]
pub(crate) struct Review {
    pub(crate) score: f64,
    /// The part of each term of [`Term::ALL`]; `None` if it does not count, or has nothing to go by.
    pub(crate) terms: [Option<f64>; Term::ALL.len()],
    /// The reasons, that of the greatest part first.
    pub(crate) reasons: Vec<String>,
}

/// Reviews shapes with the same terms.
pub(crate) struct Reviewer {
    terms: Vec<Term>,
    /// The texts that are looked for, as they are written and in small letters.
    watch: Vec<(String, String)>,
    programs: Names,
    accounts: Names,
    /// The names that were looked up, since few names have many shapes.
    nearest: RefCell<HashMap<String, Option<String>>>,
}

/// A part of a score, and the reason, if the part is worth one.
type Part = (f64, Option<String>);

impl Reviewer {
    pub(crate) fn new(terms: Vec<Term>, watch: Vec<String>) -> Self {
        let watch = watch.into_iter().map(|text| {
            let small = text.to_lowercase();
            (text, small)
        });
        Self {
            terms,
            watch: watch.collect(),
            programs: Names::of_system(),
            accounts: Names::of_accounts(),
            nearest: RefCell::default(),
        }
    }

    pub(crate) fn review(&self, shape: &Shape) -> Review {
        let part = |term| {
            let part = if self.terms.contains(&term) { self.part(term, shape) } else { None };
            // The logarithm of 1 is 0, and of a share of 1 -0.0.
            part.map(|(part, reason)| (part + 0.0, reason))
        };
        let parts = Term::ALL.map(part);
        // Always in this order, since a sum of floats depends on it.
        let score: f64 = parts.iter().flatten().map(|(part, _)| part).sum();
        let mut reasons: Vec<(f64, &String)> =
            parts.iter().flatten().filter_map(|(part, reason)| Some((*part, reason.as_ref()?))).collect();
        reasons.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let mut reasons: Vec<String> = reasons.into_iter().map(|(_, reason)| reason.clone()).collect();
        if reasons.is_empty() && self.terms.contains(&Term::RareWord) {
            reasons.extend(word_in_words(shape));
        }
        Review { score, terms: parts.map(|part| part.map(|(part, _)| part)), reasons }
    }

    fn part(&self, term: Term, shape: &Shape) -> Option<Part> {
        match term {
            Term::Context => context(shape),
            Term::ContextSubject => context_subject(shape),
            Term::Launcher => {
                let context = shape.context?;
                let runs = runs_what_it_is_given(context);
                // Where the context is unusual, another reason names it.
                let is_named = context_part(shape) >= UNUSUAL;
                let reason = || format!("{}, which runs what it is given, started it", excerpt(context));
                Some((if runs { 1.0 } else { 0.0 }, (runs && !is_named).then(reason)))
            }
            Term::Interpreter => {
                let subject = shape.subject?;
                let runs = runs_what_it_is_given(subject);
                Some(given(runs, 1.0, || format!("{} runs what it is given", excerpt(subject))))
            }
            Term::Base64 => {
                let bytes: usize = base64_runs(shape.text?).map(|run| run.len()).sum();
                let part = ((bytes as f64).ln_1p() / 2.0).min(4.0);
                Some(given(bytes > 0, part, || format!("base64 of {} characters", number(bytes as i64))))
            }
            Term::Obfuscation => {
                let marks = obfuscation_marks(shape.text?);
                let part = ((marks as f64).ln_1p() / 2.0).min(1.5);
                let reason = || {
                    format!(
                        "{} {} it hard to read, such as carets or quotes inside words",
                        number(marks),
                        if marks == 1 { "mark makes" } else { "marks make" }
                    )
                };
                Some((part, (marks > 0).then(reason)))
            }
            Term::RareWord => rare_word(shape),
            Term::Places => places(shape),
            Term::Rarity => {
                let part = (rarity_of(shape.events_alike, shape.events_of_all) - 7.0).clamp(0.0, 4.0);
                Some(given(part > 0.0, part, || {
                    format!(
                        "{} of {} events look like this",
                        number(shape.events_alike),
                        number(shape.events_of_all)
                    )
                }))
            }
            Term::Name => self.name(shape),
            Term::Watch => self.watched(shape),
        }
    }

    fn name(&self, shape: &Shape) -> Option<Part> {
        let subject = shape.subject?;
        let name = shape.path.unwrap_or(subject);
        if has_double_extension(name) {
            return Some((2.0, Some("named like a document".to_string())));
        }
        if let Some(nearest) = self.nearest(name, shape.path.is_some()) {
            return Some((2.0, Some(format!("looks like {nearest}"))));
        }
        let elsewhere = shape.path.and_then(|path| expected_folder(name, path));
        Some(match elsewhere {
            Some(folder) => (1.0, Some(format!("{} belongs to {folder}", excerpt(subject)))),
            None => (0.0, None),
        })
    }

    /// The name of a program of the system, or of an account, that this one looks like.
    fn nearest(&self, name: &str, is_program: bool) -> Option<String> {
        let names = if is_program { &self.programs } else { &self.accounts };
        // A program and an account of one name differ by this letter.
        let key = format!("{}{}", if is_program { 'p' } else { 'a' }, name.rsplit(['/', '\\']).next()?);
        if let Some(known) = self.nearest.borrow().get(&key) {
            return known.clone();
        }
        let nearest = names.nearest(name).map(ToString::to_string);
        self.nearest.borrow_mut().insert(key, nearest.clone());
        nearest
    }

    fn watched(&self, shape: &Shape) -> Option<Part> {
        if self.watch.is_empty() {
            return None;
        }
        let texts =
            [shape.text, shape.path, shape.subject, shape.context].map(|text| text.map(str::to_lowercase));
        let found =
            self.watch.iter().find(|(_, small)| texts.iter().flatten().any(|text| text.contains(small)));
        Some(match (found, shape.is_watched) {
            (Some((text, _)), _) => (10.0, Some(format!("has '{}', which is watched for", excerpt(text)))),
            (None, true) => (10.0, Some("has a text that is watched for".to_string())),
            (None, false) => (0.0, None),
        })
    }
}

/// A part that counts if a condition holds.
fn given(condition: bool, part: f64, reason: impl FnOnce() -> String) -> Part {
    if condition { (part, Some(reason())) } else { (0.0, None) }
}

/// From here on a context is unusual enough for a reason.
const UNUSUAL: f64 = 1.0;

/// -ln(count / all), 0 if either is 0.
fn rarity_of(count: i64, all: i64) -> f64 {
    if count <= 0 || all <= 0 { 0.0 } else { -(count as f64 / all as f64).ln() }
}

fn context_part(shape: &Shape) -> f64 {
    let (of_all, of_context) = (shape.groups_of_all.max(1) as f64, shape.groups_of_context as f64);
    let expected = shape.groups_in_context as f64 + of_context / of_all;
    (-(expected / (shape.groups_of_subject as f64 + 1.0)).ln()).clamp(0.0, 4.0)
}

fn context(shape: &Shape) -> Option<Part> {
    let context = shape.context?;
    let subject = shape.subject.unwrap_or("this subject");
    let part = context_part(shape);
    let reason = || {
        let (in_context, of_subject) = (number(shape.events_in_context), number(shape.events_of_subject));
        match shape.path {
            Some(_) => format!(
                "{} started it: {in_context} of {of_subject} starts of {}",
                excerpt(context),
                excerpt(subject)
            ),
            None => format!(
                "from {}: {in_context} of {of_subject} events of {}",
                excerpt(context),
                excerpt(subject)
            ),
        }
    };
    // Groups are counted, and an event that is often repeated is one of few.
    let is_seldom = shape.events_in_context <= shape.events_of_subject / 2;
    Some((part, (part >= UNUSUAL && is_seldom).then(reason)))
}

fn context_subject(shape: &Shape) -> Option<Part> {
    let context = shape.context?;
    let part = rarity_of(shape.groups_in_context, shape.groups_of_context).min(4.0) / 2.0;
    let reason = || {
        let (one, all) = (number(shape.groups_in_context), number(shape.groups_of_context));
        match shape.path {
            Some(_) => format!(
                "{} rarely starts it: {one} of the {all} kinds of commands that it starts",
                excerpt(context)
            ),
            None => format!("rare from {}: {one} of the {all} kinds of events from there", excerpt(context)),
        }
    };
    Some((part, (part >= UNUSUAL).then(reason)))
}

fn rare_word(shape: &Shape) -> Option<Part> {
    shape.word?;
    let part = rarity_of(shape.shapes_with_word, shape.shapes_of_all)
        .min(rarity_of(shape.events_with_word, shape.events_of_all));
    // In a small set every word is rare.
    let is_rare = shape.shapes_with_word <= shape.shapes_of_all / 20;
    Some((part, if is_rare { word_in_words(shape) } else { None }))
}

fn word_in_words(shape: &Shape) -> Option<String> {
    /// Longer ones say nothing to a reader.
    const LONGEST: usize = 64;
    let word = shape.word.filter(|word| word.chars().nth(LONGEST).is_none())?;
    if shape.shapes_with_word >= shape.shapes_of_all {
        return None;
    }
    let digits = if word.contains('#') { " (# for digits)" } else { "" };
    Some(if shape.shapes_with_word == 1 {
        format!("the word '{word}'{digits} is nowhere else")
    } else {
        format!(
            "the word '{word}'{digits} is in {} of {} kinds of events",
            number(shape.shapes_with_word),
            number(shape.shapes_of_all)
        )
    })
}

fn places(shape: &Shape) -> Option<Part> {
    if shape.text.is_none() && shape.path.is_none() {
        return None;
    }
    let text = shape.text.unwrap_or_default();
    let address = addresses(text).next();
    let runs_there = shape.path.is_some_and(is_user_writable);
    let mut words = vec![];
    if runs_there {
        words.push("runs from a folder that users can write to".to_string());
    } else if is_user_writable(text) {
        words.push("names a folder that users can write to".to_string());
    }
    words.extend(address.map(|address| format!("names an address, {}", excerpt(address))));
    Some(if words.is_empty() { (0.0, None) } else { (1.0, Some(words.join(" and "))) })
}

/// Programs whose work is to run what others give them, without their ending.
const RUNS_WHAT_IT_IS_GIVEN: [&str; 52] = [
    // Shells and interpreters.
    "cmd",
    "powershell",
    "powershell_ise",
    "pwsh",
    "bash",
    "sh",
    "dash",
    "zsh",
    "ksh",
    "python",
    "python2",
    "python3",
    "pythonw",
    "perl",
    "ruby",
    "php",
    "php-cgi",
    "node",
    "java",
    "javaw",
    // Hosts of scripts, libraries and remote commands.
    "wscript",
    "cscript",
    "mshta",
    "rundll32",
    "regsvr32",
    "wmiprvse",
    "wmic",
    "wsmprovhost",
    "msbuild",
    "installutil",
    "cmstp",
    "forfiles",
    "msiexec",
    "hh",
    // Programs that open documents.
    "winword",
    "excel",
    "powerpnt",
    "outlook",
    "msaccess",
    "onenote",
    "mspub",
    "visio",
    "eqnedt32",
    "acrord32",
    "acrobat",
    // Servers.
    "w3wp",
    "sqlservr",
    "httpd",
    "apache2",
    "nginx",
    "tomcat",
    "postgres",
];

fn runs_what_it_is_given(name: &str) -> bool {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    RUNS_WHAT_IT_IS_GIVEN.contains(&name)
}

/// Cuts long text, which an attacker may choose.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// Writes a number with commas between thousands.
fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut written = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reviewed(shape: &Shape) -> Review {
        Reviewer::new(Term::ALL.to_vec(), vec!["Mimikatz".to_string()]).review(shape)
    }

    fn part(review: &Review, term: Term) -> Option<f64> {
        let place = Term::ALL.iter().position(|other| *other == term).expect("a term");
        review.terms[place]
    }

    #[test]
    fn reasons_are_in_words() {
        let shape = Shape {
            text: Some("cmd.exe /c copy \\\\10.0.0.7\\share\\mimikatz.exe C:\\Users\\Public"),
            path: Some(r"C:\Temp\invoice.pdf.exe"),
            subject: Some("invoice.pdf.exe"),
            context: Some("winword.exe"),
            word: Some("invoice"),
            is_watched: true,
            events_of_all: 1_000_000,
            events_of_subject: 4_212,
            events_in_context: 1,
            events_alike: 1,
            groups_of_all: 5_000,
            groups_of_subject: 300,
            groups_of_context: 40,
            groups_in_context: 1,
            shapes_of_all: 4_000,
            shapes_with_word: 1,
            events_with_word: 1,
        };
        let review = reviewed(&shape);
        assert_eq!(
            review.reasons,
            [
                "has 'Mimikatz', which is watched for",
                "the word 'invoice' is nowhere else",
                "winword.exe started it: 1 of 4,212 starts of invoice.pdf.exe",
                "1 of 1,000,000 events look like this",
                "named like a document",
                "winword.exe rarely starts it: 1 of the 40 kinds of commands that it starts",
                r"runs from a folder that users can write to and names an address, \\10.0.0.7\share\mimikatz.exe",
            ]
        );
        let sum: f64 = review.terms.iter().flatten().sum();
        assert!((review.score - sum).abs() < 1e-9);
    }

    #[test]
    fn terms_without_input_are_absent() {
        let review = reviewed(&Shape::default());
        let present = Term::ALL.into_iter().filter(|term| part(&review, *term).is_some());
        assert_eq!(present.collect::<Vec<_>>(), [Term::Rarity, Term::Watch]);
        assert_eq!((review.score, review.reasons.len()), (0.0, 0));
        let none = Reviewer::new(vec![], vec![]).review(&Shape { text: Some("a"), ..Shape::default() });
        assert!(none.terms.iter().all(Option::is_none));
    }

    #[test]
    fn thousands_have_commas() {
        assert_eq!([0, 12, 999, 1_000, 1_234_567].map(number), ["0", "12", "999", "1,000", "1,234,567"]);
    }

    proptest! {
        #[test]
        fn parts_are_bounded(
            text in proptest::option::of("\\PC{0,80}"),
            path in proptest::option::of("\\PC{0,40}"),
            subject in proptest::option::of("\\PC{0,20}"),
            context in proptest::option::of("\\PC{0,20}"),
            numbers in proptest::collection::vec(1..1_000_000_i64, 11),
        ) {
            let [a, b, c, d, e, f, g, h, i, j, k] = numbers.try_into().expect("eleven");
            let shape = Shape {
                text: text.as_deref(),
                path: path.as_deref(),
                subject: subject.as_deref(),
                context: context.as_deref(),
                word: subject.as_deref(),
                is_watched: a % 2 == 0,
                events_of_all: a.max(b),
                events_of_subject: b.min(a),
                events_in_context: c.min(b),
                events_alike: d.min(a),
                groups_of_all: e.max(f).max(g),
                groups_of_subject: f,
                groups_of_context: g,
                groups_in_context: h.min(f).min(g),
                shapes_of_all: i.max(j),
                shapes_with_word: j.min(i),
                events_with_word: k.min(a.max(b)),
            };
            let review = reviewed(&shape);
            for (term, most) in [
                (Term::Context, 4.0),
                (Term::ContextSubject, 2.0),
                (Term::Launcher, 1.0),
                (Term::Interpreter, 1.0),
                (Term::Base64, 4.0),
                (Term::Obfuscation, 1.5),
                (Term::RareWord, 14.0),
                (Term::Places, 1.0),
                (Term::Rarity, 4.0),
                (Term::Name, 2.0),
                (Term::Watch, 10.0),
            ] {
                prop_assert!(part(&review, term).is_none_or(|part| (0.0..=most).contains(&part)), "{term:?} {review:?}");
            }
            prop_assert!(review.score.is_finite());
        }
    }
}
