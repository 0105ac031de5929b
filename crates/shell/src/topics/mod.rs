//! Topics of `\h`: short lessons with a statement to start from.
//!
//! The statement is about the table that is named behind the topic, or that the session has read last ([`own_table`]). Before there is
//! one, it runs on what `dbcluster sample --out sample` writes.

mod own_table;

use std::fmt::Write;

pub(super) use own_table::OwnTable;

/// A lesson.
pub(super) struct Topic {
    name: &'static str,
    /// Its subject, in the list of topics.
    about: &'static str,
    text: &'static str,
    /// A statement of it that runs on the sample.
    example: &'static str,
}

const TOPICS: [Topic; 7] = [
    Topic {
        name: "features",
        about: "what makes two events alike",
        text: "\
A feature is an expression that turns an event into a number. Events whose numbers are close become one row.
  cmdline_tokens(CommandLine)     how a command line is built, whatever its names and numbers
  path_score(NewProcessName)      which program, in which folder
  is_system_session(SubjectLogonId), LogonType, hour_of_day(t)    who, how, when
Two or three features are enough to begin with. They are written as [a, b], or with names, {tokens: a, path: b}.
NULL is an error until you say what it means: coalesce(CommandLine, ''), or nulls => 'zero' or 'skip'.
One feature alone needs scaling => 'none', since the default scaling, l2, makes all rows of one feature alike.
dbcluster_why tells in which features an odd event differs. \\h NAME describes each function.",
        example: "\
SELECT cluster_size, tokens, left(CommandLine, 60) AS command
FROM dbcluster('sample/processes.parquet', {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}, eps => 0.0001)
ORDER BY cluster_size LIMIT 10",
    },
    Topic {
        name: "eps",
        about: "how close is close",
        text: "\
eps is the largest distance between neighbours. A small one leaves near-repeats apart, a large one hides odd events in clusters.
eps => 'auto' takes the last one before clusters chain into one. dbcluster_eps shows what each value would do: look for the
row after which the number of clusters stops falling, and before the largest cluster takes all.
The distance is between scaled features. With l2, the default, each row is scaled to length 1, so 0.0001 is a common start;
with scaling => 'none' it is in the unit of the feature.",
        example: "\
SELECT eps, clusters, noise, largest_share, is_auto
FROM dbcluster_eps('sample/processes.parquet', [cmdline_tokens(CommandLine), path_score(NewProcessName)], steps => 12)",
    },
    Topic {
        name: "files",
        about: "files, folders and pipes as tables",
        text: "\
A path in quotes is a table: 'logs/', 'logs/*.json.gz', 's3://bucket/logs/', '/dev/stdin'. CSV, JSON, Zeek, IIS, auditd, lines and EVTX
are told by what is in them; Parquet, Arrow and Avro by their names. FROM 'logs/'; shows the first rows, SUMMARIZE 'logs/'; the columns.
read('logs/', time_zone => 'Europe/Berlin') overrules a guess. SELECT * FROM rejected; has the lines that could not be read.
dbcluster import logs/ --out archive makes Parquet of them, which is read much faster.",
        example: "\
SELECT count(*) AS events, min(TimeGenerated) AS first, max(TimeGenerated) AS last FROM 'sample/processes.parquet'",
    },
    Topic {
        name: "formats",
        about: "results on the screen, in files, for programs",
        text: "\
\\x shows each value on a line of its own, whole; \\x auto does where a table would not show all. \\pset maxrows inf shows all rows.
\\pset format box|markdown|csv|tsv|json|nd-json changes the format. A table fits the terminal, and names the columns that it hides.
\\o odd.csv sends results to a file until \\o; the ending says the format, .parquet and .md included.
COPY (SELECT ...) TO 'odd.parquet'; writes one result. On the command line: --format csv, --output odd.csv, -x.",
        example: "COPY (SELECT * FROM 'sample/logons.parquet' LIMIT 10) TO 'sample/ten_logons.csv'",
    },
    Topic {
        name: "figures",
        about: "pages with a drawing",
        text: "\
\\plot KIND FILE QUERY draws the rows of a query as a page that needs no network. The kinds: BAR, BOX, SCATTER, TIMELINE, CURVE, CARDS,
TREE, REVIEW, REPORT. Columns are guessed from their names; x=COLUMN y=COLUMN before the query name them. The line is one line.
COPY (SELECT ...) TO 'page.html' STORED AS SCATTER OPTIONS (x 'a', y 'b'); is the same as a statement. \\h BAR lists the options of one.
dbcluster report --table 'logs/' --out report.html clusters a table and draws all of it.",
        example: "\
COPY (SELECT process_name(NewProcessName) AS process, count(*) AS events FROM 'sample/processes.parquet' GROUP BY 1 ORDER BY 2 DESC LIMIT 20)
TO 'sample/programs.html' STORED AS BAR OPTIONS (x 'process', y 'events')",
    },
    Topic {
        name: "hunting",
        about: "which events to read first",
        text: "\
hunt_processes, hunt_logons and hunt(...) put the most unusual events first, each with its reasons in words.
An odd one leads to others: dbcluster_around shows what happened on its host around its time, dbcluster_why in what it differs,
dbcluster_members which events a cluster holds. What is new on a day: cluster all days, WHERE first_event_time >= the day.
dbcluster hunt logs/ does it on the command line, --out hunt.html as a page to read.",
        example: "SELECT score, reasons, left(CommandLine, 60) AS command FROM hunt_processes('sample/processes.parquet') LIMIT 10",
    },
    Topic {
        name: "times",
        about: "times, time zones, windows of time",
        text: "\
A time is compared with text that has seconds: t >= '2026-01-15 05:15:00'. A day: t >= '2026-01-15' AND t < '2026-01-16'.
date_trunc('hour', t) and date_bin(INTERVAL '15 minutes', t) make windows; now() - INTERVAL '7 days' is a week ago.
Text becomes a time by to_timestamp(c), or to_timestamp(c, '%m/%d/%Y %I:%M:%S %p') with its format.
\\timezone Europe/Berlin shows times in this zone; the values stay. read('f', time_zone => ...) says the zone of times that don't.",
        example: "\
SELECT date_trunc('day', TimeGenerated) AS day, count(*) AS events FROM 'sample/processes.parquet' GROUP BY 1 ORDER BY 1",
    },
];

/// The names of the topics, for completion.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|topic| topic.name)
}

/// The list of topics.
pub(super) fn list() -> String {
    let mut text = String::from("Topics\n");
    for topic in &TOPICS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  \\h {:9} {}", topic.name, topic.about);
    }
    text.push('\n');
    text
}

impl Topic {
    /// The topic that a line begins with, and the rest of the line, which names a table.
    pub(super) fn of(line: &str) -> Option<(&'static Self, &str)> {
        let line = line.trim_end_matches(';').trim_end();
        let (name, table) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let topic = TOPICS.iter().find(|topic| topic.name.eq_ignore_ascii_case(name))?;
        Some((topic, table.trim()))
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The text of the lesson, with an example on this table if its columns allow one.
    pub(super) fn lesson(&self, own: Option<&OwnTable>) -> String {
        let (on, example) = match own.map(|own| (own, own.example(self.name))) {
            Some((own, Some(example))) => (format!("on {}", own.name()), example),
            Some((own, None)) => {
                let sample = "on the sample of `dbcluster sample --out sample`";
                (format!("{sample}; {} has no columns for one", own.name()), self.example.to_string())
            }
            None => {
                ("on the sample of `dbcluster sample --out sample`".to_string(), self.example.to_string())
            }
        };
        let example: Vec<String> = example.lines().map(|line| format!("  {line}")).collect();
        format!("{}\n\nExample, {on}\n{};\n", self.text, example.join("\n"))
    }
}
