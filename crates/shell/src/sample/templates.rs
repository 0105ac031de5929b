//! Templates of ordinary processes: command lines with slots, some of them far more frequent than others.
//!
//! A slot holds text that changes from run to run: `{GUID}`, `{HEX}`, `{INT}`, `{PORT}`, `{IP}`, `{TIME}`, `{HOST}`,
//! `{USER}`; `{GUID2}` and `{INT2}` are second ones. A slot has one value per event, so a user in the path is the user
//! in the command line. No slot changes how many delimiters a command line has, and few stand in a path: as on real
//! hosts, most of the variety is in text that the features ignore.

use std::fmt::Write;

use arrow::temporal_conversions::timestamp_us_to_datetime;
use fastrand::Rng;

use super::world::{Purpose, World, mix, stream};

/// Ordinary programs besides the ones listed here, of vendors that do not exist.
const VENDOR_TEMPLATES: usize = 160;

/// The exponent of Zipf's law, by which frequencies fall with the rank.
const ZIPF: f64 = 1.1;

/// The session that a process runs in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Session {
    /// Logon id 0x3e7, under the name of the machine.
    System,
    /// 0x3e4
    NetworkService,
    /// 0x3e5
    LocalService,
    /// The session of a person.
    User,
}

/// Text with slots.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    /// A slot, and its number among those of its kind.
    Slot(Slot, u64),
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    Guid,
    Hex,
    Int,
    Port,
    Ip,
    Time,
    Host,
    User,
}

/// The values that fill the slots of one event.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) world: &'a World,
    /// The random bits that slots are made of.
    pub(super) bits: u64,
    pub(super) time: i64,
    pub(super) host: usize,
    pub(super) user: usize,
}

impl Pattern {
    /// Reads `{SLOT}`s; other braces are text.
    pub(super) fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let slot =
                rest[open..].find('}').and_then(|close| Some((slot(&rest[open + 1..open + close])?, close)));
            let Some((slot, close)) = slot else {
                literal.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
                continue;
            };
            literal.push_str(&rest[..open]);
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Slot(slot.0, slot.1));
            rest = &rest[open + close + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self(parts)
    }

    /// Writes the text of one event.
    pub(super) fn write(&self, out: &mut impl Write, event: &Event) -> std::fmt::Result {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.write_str(text)?,
                Part::Slot(slot, which) => {
                    let bits = mix(event.bits ^ (*slot as u64) << 32 ^ which << 40);
                    match slot {
                        Slot::Guid => write_guid(out, bits)?,
                        Slot::Hex => write!(out, "{bits:016x}")?,
                        Slot::Int => write!(out, "{}", bits % 90_000 + 10_000)?,
                        Slot::Port => write!(out, "{}", bits % 50_000 + 10_000)?,
                        Slot::Ip => {
                            let [a, b, c, ..] = bits.to_le_bytes();
                            write!(out, "10.{}.{b}.{}", a % 8, c.max(1))?;
                        }
                        Slot::Time => match timestamp_us_to_datetime(event.time) {
                            Some(time) => write!(out, "{}", time.format("%Y-%m-%dT%H:%M:%S"))?,
                            None => write!(out, "{}", event.time)?,
                        },
                        Slot::Host => out.write_str(&event.world.hosts[event.host].name)?,
                        Slot::User => out.write_str(&event.world.users[event.user].name)?,
                    }
                }
            }
        }
        Ok(())
    }
}

fn slot(name: &str) -> Option<(Slot, u64)> {
    Some(match name {
        "GUID" => (Slot::Guid, 0),
        "GUID2" => (Slot::Guid, 1),
        "HEX" => (Slot::Hex, 0),
        "INT" => (Slot::Int, 0),
        "INT2" => (Slot::Int, 1),
        "PORT" => (Slot::Port, 0),
        "IP" => (Slot::Ip, 0),
        "TIME" => (Slot::Time, 0),
        "HOST" => (Slot::Host, 0),
        "USER" => (Slot::User, 0),
        _ => return None,
    })
}

fn write_guid(out: &mut impl Write, bits: u64) -> std::fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = u128::from(bits) << 64 | u128::from(mix(bits));
    let mut text = [b'-'; 36];
    let mut left = 128;
    for (at, byte) in text.iter_mut().enumerate() {
        if !matches!(at, 8 | 13 | 18 | 23) {
            left -= 4;
            *byte = DIGITS[(digits >> left) as usize & 15];
        }
    }
    out.write_str(std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?)
}

/// One kind of ordinary process.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) path: Pattern,
    pub(super) command_line: Pattern,
    pub(super) parent: String,
    pub(super) session: Session,
}

impl Template {
    fn new(session: Session, parent: &str, path: &str, command_line: &str) -> Self {
        let (path, command_line) = (Pattern::new(path), Pattern::new(command_line));
        Self { path, command_line, parent: parent.to_string(), session }
    }
}

/// All kinds of ordinary processes, with their frequencies.
#[derive(Debug)]
pub(super) struct Templates {
    all: Vec<Template>,
    /// The ends of the templates' shares of 0..2^32.
    shares: Vec<u32>,
}

impl Templates {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = stream(seed, Purpose::Templates, 0);
        let mut all = windows();
        rng.shuffle(&mut all);
        let mut rare: Vec<Template> = services(&mut rng);
        rare.extend((0..VENDOR_TEMPLATES).map(|_| vendor(&mut rng)));
        rng.shuffle(&mut rare);
        all.extend(rare);
        let weights: Vec<f64> = (1..=all.len()).map(|rank| (rank as f64).powf(-ZIPF)).collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let shares = weights
            .iter()
            .map(|weight| {
                sum += weight;
                (sum / total * f64::from(u32::MAX)) as u32
            })
            .collect();
        Self { all, shares }
    }

    /// The index of a random template, drawn by frequency.
    pub(super) fn any(&self, rng: &mut Rng) -> usize {
        let share = rng.u32(..);
        self.shares.partition_point(|end| *end < share).min(self.all.len() - 1)
    }

    pub(super) fn get(&self, index: usize) -> &Template {
        &self.all[index]
    }
}

pub(super) const EXPLORER: &str = r"C:\Windows\explorer.exe";
pub(super) const CMD: &str = r"C:\Windows\System32\cmd.exe";
pub(super) const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
pub(super) const SERVICES: &str = r"C:\Windows\System32\services.exe";
const SVCHOST: &str = r"C:\Windows\System32\svchost.exe";
const MONITORING: &str = r"C:\Program Files\Microsoft Monitoring Agent\Agent\MonitoringHost.exe";

/// The processes that every Windows machine runs: (session, parent, path, command line).
#[rustfmt::skip]
const WINDOWS: [(Session, &str, &str, &str); 44] = [
    (Session::System, CMD, r"C:\Windows\System32\conhost.exe", r"\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1"),
    (Session::User, CMD, r"C:\Windows\System32\conhost.exe", r"\??\C:\Windows\system32\conhost.exe 0x4"),
    (Session::System, SVCHOST, r"C:\Windows\System32\taskhostw.exe", "taskhostw.exe"),
    (Session::User, SVCHOST, r"C:\Windows\System32\taskhostw.exe", "taskhostw.exe {222A245B-E637-4AE9-A93F-A59CA119A75E}"),
    (Session::System, SVCHOST, r"C:\Windows\System32\wbem\WmiPrvSE.exe", r"C:\Windows\system32\wbem\wmiprvse.exe -Embedding"),
    (Session::NetworkService, SVCHOST, r"C:\Windows\System32\wbem\WmiPrvSE.exe", r"C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding"),
    (Session::System, MONITORING, r"C:\Windows\System32\cscript.exe", r#""C:\Windows\system32\cscript.exe" /nologo "MonitorKnowledgeDiscovery.vbs""#),
    (Session::System, MONITORING, CMD, r#""C:\Windows\system32\cmd.exe" /c "{GUID}.cmd""#),
    (Session::System, MONITORING, r"C:\Program Files\Microsoft Monitoring Agent\Agent\Health Service State\CT_602681692\NativeDSC\ASMHost.exe", r#""C:\Program Files\Microsoft Monitoring Agent\Agent\Health Service State\CT_602681692\NativeDSC\ASMHost.exe" GetInventory {HEX}"#),
    (Session::System, r"C:\Windows\System32\SearchIndexer.exe", r"C:\Windows\System32\SearchProtocolHost.exe", r#""C:\Windows\system32\SearchProtocolHost.exe" Global\UsGthrFltPipeMssGthrPipe{INT}_ 1 2147483646"#),
    (Session::System, r"C:\Windows\System32\SearchIndexer.exe", r"C:\Windows\System32\SearchFilterHost.exe", r#""C:\Windows\system32\SearchFilterHost.exe" 0 {INT} {INT2} 8192"#),
    (Session::User, SVCHOST, r"C:\Windows\System32\backgroundTaskHost.exe", r#""C:\Windows\system32\backgroundTaskHost.exe" -ServerName:AppX{HEX}"#),
    (Session::User, SVCHOST, r"C:\Windows\System32\RuntimeBroker.exe", r"C:\Windows\System32\RuntimeBroker.exe -Embedding"),
    (Session::User, SVCHOST, r"C:\Windows\System32\dllhost.exe", r"C:\Windows\system32\DllHost.exe /Processid:{{GUID}}"),
    (Session::System, SVCHOST, r"C:\Windows\System32\dllhost.exe", r"C:\Windows\system32\DllHost.exe /Processid:{{GUID}}"),
    (Session::User, SVCHOST, r"C:\Windows\System32\WerFault.exe", r"C:\Windows\system32\WerFault.exe -u -p {INT} -s {INT2}"),
    (Session::User, SVCHOST, r"C:\Windows\System32\smartscreen.exe", r"C:\Windows\System32\smartscreen.exe -Embedding"),
    (Session::User, SVCHOST, r"C:\Windows\System32\ApplicationFrameHost.exe", r"C:\Windows\system32\ApplicationFrameHost.exe -Embedding"),
    (Session::User, CMD, r"C:\Windows\System32\ipconfig.exe", "ipconfig /all"),
    (Session::User, CMD, r"C:\Windows\System32\PING.EXE", "ping -n 4 {IP}"),
    (Session::User, CMD, r"C:\Windows\System32\net.exe", r"net use Z: \\{HOST}\share$"),
    (Session::User, CMD, r"C:\Windows\System32\net1.exe", r"C:\Windows\system32\net1 localgroup"),
    (Session::System, CMD, r"C:\Windows\System32\reg.exe", r#"reg query "HKLM\SOFTWARE\Contoso" /v Build"#),
    (Session::System, CMD, r"C:\Windows\System32\schtasks.exe", r"schtasks.exe /query /s {HOST} /fo csv"),
    (Session::System, CMD, r"C:\Windows\System32\sc.exe", "sc.exe query wuauserv"),
    (Session::System, SVCHOST, POWERSHELL, r#"powershell.exe -NoProfile -File "C:\Scripts\inventory.ps1" -ComputerName {HOST}"#),
    (Session::User, EXPLORER, POWERSHELL, "powershell.exe"),
    (Session::User, EXPLORER, CMD, r#""C:\Windows\system32\cmd.exe""#),
    (Session::System, SVCHOST, CMD, r#"cmd.exe /c "C:\jobs\nightly.cmd {INT}""#),
    (Session::System, SERVICES, r"C:\WindowsAzure\GuestAgent_2.7.41491.{INT}\WaAppAgent.exe", r"C:\WindowsAzure\GuestAgent_2.7.41491.{INT}\WaAppAgent.exe -collect"),
    (Session::System, SERVICES, r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.{INT}.6\MpCmdRun.exe", r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.{INT}.6\MpCmdRun.exe" GetDeviceTicket"#),
    (Session::System, SVCHOST, r"C:\Windows\SoftwareDistribution\Download\Install\AM_Delta_Patch_1.381.{INT}.0.exe", r"C:\Windows\SoftwareDistribution\Download\Install\AM_Delta_Patch_1.381.{INT}.0.exe WD /stub 1.1.18500.10"),
    (Session::System, r"C:\Windows\System32\Dism.exe", r"C:\Windows\Temp\{GUID}\DismHost.exe", r"C:\Windows\TEMP\{GUID}\dismhost.exe {{GUID2}}"),
    (Session::User, EXPLORER, r"C:\Users\{USER}\AppData\Local\Microsoft\Teams\current\Teams.exe", r#""C:\Users\{USER}\AppData\Local\Microsoft\Teams\current\Teams.exe" --type=renderer --field-trial-handle={INT}"#),
    (Session::User, EXPLORER, r"C:\Users\{USER}\AppData\Local\Microsoft\OneDrive\OneDrive.exe", r#""C:\Users\{USER}\AppData\Local\Microsoft\OneDrive\OneDrive.exe" /background"#),
    (Session::User, EXPLORER, r"C:\Program Files\Google\Chrome\Application\chrome.exe", r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer --lang=en-US --renderer-client-id={INT} --field-trial-handle={INT2} /prefetch:1"#),
    (Session::User, EXPLORER, r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe", r#""C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --type=utility --lang=en-US /prefetch:3"#),
    (Session::User, EXPLORER, r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE", r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE""#),
    (Session::User, EXPLORER, r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE", r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /dde"#),
    (Session::User, EXPLORER, r"C:\Windows\System32\notepad.exe", r#""C:\Windows\system32\NOTEPAD.EXE" C:\Users\{USER}\notes{INT}.txt"#),
    (Session::User, CMD, r"C:\Program Files\Git\cmd\git.exe", r"git.exe -C C:\src\app{INT} fetch"),
    (Session::User, CMD, r"C:\Program Files\nodejs\node.exe", r"node.exe C:\src\web\server.js --port {PORT}"),
    (Session::User, CMD, r"C:\Program Files\dotnet\dotnet.exe", r#"dotnet.exe exec "C:\src\app\bin\Release\app.dll" --pipe {HEX}"#),
    (Session::System, SVCHOST, r"C:\Program Files\Python311\python.exe", r#"python.exe C:\jobs\load_{INT}.py --since "{TIME}""#),
];

fn windows() -> Vec<Template> {
    WINDOWS
        .into_iter()
        .map(|(session, parent, path, command_line)| Template::new(session, parent, path, command_line))
        .collect()
}

/// The services that share svchost.exe.
fn services(rng: &mut Rng) -> Vec<Template> {
    const GROUPS: [(&str, Session); 6] = [
        ("netsvcs", Session::System),
        ("LocalServiceNetworkRestricted", Session::LocalService),
        ("LocalService", Session::LocalService),
        ("NetworkService", Session::NetworkService),
        ("LocalSystemNetworkRestricted", Session::System),
        ("UnistackSvcGroup", Session::User),
    ];
    const NAMES: &str = "BITS wuauserv Dnscache EventLog Schedule Winmgmt gpsvc LanmanServer CryptSvc W32Time WinRM \
        TermService UsoSvc DoSvc wscsvc StateRepository CDPSvc iphlpsvc NlaSvc Themes ProfSvc SysMain TokenBroker \
        UserManager Wcmsvc WlanSvc AppXSvc ClipSVC lfsvc PcaSvc DPS FontCache";
    NAMES
        .split_whitespace()
        .map(|name| {
            let (group, session) = GROUPS[rng.usize(..GROUPS.len())];
            let command_line = format!(r"C:\Windows\system32\svchost.exe -k {group} -p -s {name}");
            Template::new(session, SERVICES, SVCHOST, &command_line)
        })
        .collect()
}

/// A program of a made-up vendor. It has few arguments, as most programs have: long command lines with many delimiters
/// are left to the few templates that have them, and to the planted events.
fn vendor(rng: &mut Rng) -> Template {
    const VENDORS: [&str; 12] = [
        "Contoso",
        "Fabrikam",
        "Northwind",
        "Tailspin Toys",
        "Litware",
        "Adatum",
        "Proseware",
        "Alpine Ski House",
        "City Power",
        "Coho Winery",
        "Margie Travel",
        "Trey Research",
    ];
    const PRODUCTS: [&str; 12] = [
        "Agent",
        "Endpoint Manager",
        "Backup Client",
        "Health Service",
        "Inventory",
        "Patch Manager",
        "Telemetry",
        "Update Service",
        "Print Broker",
        "Sync Engine",
        "VPN Client",
        "License Server",
    ];
    const PROGRAMS: [&str; 12] = [
        "agent",
        "collector",
        "sync",
        "updater",
        "monitor",
        "runner",
        "broker",
        "client",
        "worker",
        "launcher",
        "bridge",
        "watchdog",
    ];
    const ARGUMENTS: [&str; 8] = [
        "/quiet",
        "/background",
        "-service",
        "/id {INT}",
        "-token {HEX}",
        "/host {HOST}",
        "/port {PORT}",
        "-once",
    ];
    let mut pick = |words: &[&'static str]| words[rng.usize(..words.len())];
    let (vendor, product, program) = (pick(&VENDORS), pick(&PRODUCTS), pick(&PROGRAMS));
    let all = [pick(&ARGUMENTS), pick(&ARGUMENTS)];
    let mut arguments = String::new();
    for argument in &all[..rng.usize(..=all.len())] {
        arguments.push(' ');
        arguments.push_str(argument);
    }
    let (folder, session, parent) = match rng.u8(..10) {
        0..5 => (r"C:\Program Files", Session::System, SERVICES),
        5..7 => (r"C:\Program Files (x86)", Session::User, EXPLORER),
        7..9 => (r"C:\Program Files", Session::User, EXPLORER),
        _ => (r"C:\Users\{USER}\AppData\Local", Session::User, EXPLORER),
    };
    let path = format!(r"{folder}\{vendor}\{product}\{program}.exe");
    let quoted = rng.bool();
    let command_line =
        if quoted { format!("\"{path}\"{arguments}") } else { format!("{program}.exe{arguments}") };
    Template::new(session, parent, &path, &command_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_and_braces_kept() {
        let world = World::new(1, 1000);
        let event = Event { world: &world, bits: 7, time: super::super::world::START, host: 0, user: 0 };
        let text = |pattern: &str| {
            let mut text = String::new();
            Pattern::new(pattern).write(&mut text, &event).expect("a string takes all");
            text
        };
        assert_eq!(text("a {b} {} { c"), "a {b} {} { c");
        assert_eq!(text("{TIME}"), "2025-01-06T00:00:00");
        assert_eq!(text("{GUID} {GUID2}").len(), 73);
        assert_eq!(text("{GUID}"), text("{GUID}"));
        assert_ne!(text("{GUID}"), text("{GUID2}"));
        assert_eq!(text("{{GUID}}"), format!("{{{}}}", text("{GUID}")));
        let address = text("{IP}");
        assert_eq!(address.matches('.').count(), 3, "{address}");
    }

    #[test]
    fn frequencies_fall_with_the_rank() {
        let templates = Templates::new(1);
        let mut rng = Rng::with_seed(1);
        let mut seen = vec![0_u32; templates.all.len()];
        for _ in 0..100_000 {
            seen[templates.any(&mut rng)] += 1;
        }
        assert!(seen[0] > seen[9] && seen[9] > seen[99], "{seen:?}");
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }
}
