//! Whether the name of a column says that its values are times.

/// The hint that the name of a column gives about times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    Nothing,
    /// Numbers that look like the time since an epoch are that.
    Epoch,
    /// The values are times, even if there are none.
    Time,
}

/// Words that make a column no time, whatever else its name says.
const NEVER: &str = "id ids duration elapsed timeout uptime runtime lifetime downtime idletime \
    offset zone timezone tz count counter number num no size length len bytes packets port pid hash \
    serial seq sequence index address addr ip taken spent response processing wait delta diff \
    interval latency ttl cpu rate total avg average format";

/// Words for times.
const TIME: &str = "time timestamp datetime ts";

/// Words for times that are other things, too.
const EPOCH: &str = "date epoch when utc created creation modified updated changed accessed generated occurred \
    observed published ingested expires expiry expiration born birth mtime ctime atime btime crtime \
    seen logon login logoff logout since until unixtime";

/// First words of the names of times at which a file or a list was made.
const MADE: &str = "generated generation export exported report reported query queried scan scanned collection collected \
    snapshot dump dumped download downloaded fetch fetched retrieved";

/// Whether a name says when a file was made, as `generated_at` and `exportTime` do.
pub(super) fn says_made(name: &str) -> bool {
    words(name).first().is_some_and(|word| MADE.split(' ').any(|made| made == word))
}

/// Reads a name such as `TimeGenerated`, `event_time`, `@timestamp`, `createdAt`, `first-seen`.
pub(super) fn says(name: &str) -> Says {
    let words = words(name);
    let is_in = |word: &str, list: &str| list.split(' ').any(|other| other == word);
    let has = |list: &str| words.iter().any(|word| is_in(word, list));
    if has(NEVER) {
        return Says::Nothing;
    }
    let is_joined = |word: &String| {
        word.len() > 4 && (word.ends_with("time") || word.ends_with("timestamp")) && !is_in(word, EPOCH)
    };
    if has(TIME) || words.iter().any(is_joined) {
        return Says::Time;
    }
    let is_bound = matches!(words.as_slice(), [word] if is_in(word, "start end begin stop"));
    let is_at = words.len() > 1 && words.last().is_some_and(|word| is_in(word, "at on"));
    let is_last_done = has("last") && has("set used run update write check");
    if has(EPOCH) || is_bound || is_at || is_last_done { Says::Epoch } else { Says::Nothing }
}

/// The words of a name in lower case. Words are apart by anything but letters, by digits, and by a capital behind a small letter or
/// before one.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word = String::new();
    let mut letters = name.chars().take(200).peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let begins = letter.is_uppercase()
            && (before.is_lowercase()
                || before.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase()));
        if (begins || !letter.is_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_times_at_which_a_file_was_made() {
        for name in ["generated_at", "exportTime", "Report Date", "scanned"] {
            assert!(says_made(name), "{name}");
        }
        for name in ["TimeGenerated", "time", "", "reporter", "last_scan"] {
            assert!(!says_made(name), "{name}");
        }
    }

    #[test]
    fn names_of_times() {
        for name in [
            "time",
            "ts",
            "_time",
            "@timestamp",
            "TimeGenerated",
            "timestamp_ms",
            "EventTime",
            "eventtime",
            "StartTimeUTC",
            "event.time",
            "log time",
            "System.TimeCreated",
            "badPasswordTime",
            "datetime",
            "UtcTime",
            "userLoginTime",
            "LASTTIME",
        ] {
            assert_eq!(says(name), Says::Time, "{name}");
        }
        for name in [
            "date",
            "created",
            "createdAt",
            "created_at",
            "modified_on",
            "first_seen",
            "lastSeen",
            "start",
            "end",
            "epoch",
            "mtime",
            "when",
            "lastLogon",
            "pwdLastSet",
            "expires",
            "Creation-Date",
        ] {
            assert_eq!(says(name), Says::Epoch, "{name}");
        }
        for name in [
            "",
            "id",
            "port",
            "bytes",
            "duration",
            "time_taken",
            "time-taken",
            "TimeZone",
            "time_id",
            "timeout",
            "uptime",
            "runtime",
            "response_time",
            "cpuTime",
            "at",
            "startAddress",
            "end_port",
            "first",
            "last",
            "sometimes?no",
            "datetime_offset",
            "n",
            "status",
            "rate",
            "candidate",
            "attempts",
            "format",
            "TimezoneOffset",
            "created_by_id",
        ] {
            assert_eq!(says(name), Says::Nothing, "{name}");
        }
    }
}
