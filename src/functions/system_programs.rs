//! The programs that come with Windows, Linux and macOS and are imitated, with the folders that they run from.
//!
//! Sources: the folders of a default installation; for which of them are imitated, MITRE ATT&CK T1036.005 and SANS, "Hunt Evil"
//! (2018). The list says nothing about attacks: a program is on it because it stands on every machine.

/// The programs that one list of folders is for.
struct Programs {
    /// The folders, in small letters without a drive, each with a separator at its end. The first is the one that is named.
    folders: &'static [&'static str],
    named: &'static str,
    names: &'static [&'static str],
}

const PROGRAMS: &[Programs] = &[
    Programs {
        folders: &[r"\windows\system32\", r"\windows\syswow64\"],
        named: r"C:\Windows\System32",
        names: &[
            "svchost.exe",
            "lsass.exe",
            "services.exe",
            "winlogon.exe",
            "wininit.exe",
            "csrss.exe",
            "smss.exe",
            "lsm.exe",
            "spoolsv.exe",
            "taskhostw.exe",
            "taskhost.exe",
            "taskeng.exe",
            "dwm.exe",
            "conhost.exe",
            "dllhost.exe",
            "rundll32.exe",
            "regsvr32.exe",
            "runtimebroker.exe",
            "sihost.exe",
            "ctfmon.exe",
            "fontdrvhost.exe",
            "userinit.exe",
            "logonui.exe",
            "dashost.exe",
            "audiodg.exe",
            "msdtc.exe",
            "searchindexer.exe",
            "searchprotocolhost.exe",
            "backgroundtaskhost.exe",
            "cmd.exe",
            "certutil.exe",
            "bitsadmin.exe",
            "mshta.exe",
            "wscript.exe",
            "cscript.exe",
            "schtasks.exe",
            "sc.exe",
            "net.exe",
            "net1.exe",
            "reg.exe",
            "tasklist.exe",
            "taskkill.exe",
            "taskmgr.exe",
            "vssadmin.exe",
            "wbadmin.exe",
            "bcdedit.exe",
            "wevtutil.exe",
            "whoami.exe",
            "ipconfig.exe",
            "netsh.exe",
            "nltest.exe",
            "msiexec.exe",
            "mmc.exe",
            "werfault.exe",
            "consent.exe",
            "eventvwr.exe",
            "control.exe",
            "odbcconf.exe",
            "powercfg.exe",
            "wuauclt.exe",
        ],
    },
    Programs { folders: &[r"\windows\"], named: r"C:\Windows", names: &["explorer.exe", "hh.exe"] },
    Programs {
        folders: &[r"\windows\", r"\windows\system32\", r"\windows\syswow64\"],
        named: r"C:\Windows",
        names: &["regedit.exe", "notepad.exe"],
    },
    Programs {
        folders: &[r"\windows\system32\wbem\", r"\windows\syswow64\wbem\"],
        named: r"C:\Windows\System32\wbem",
        names: &["wmiprvse.exe", "wmic.exe", "wmiadap.exe", "scrcons.exe"],
    },
    Programs {
        folders: &[
            r"\windows\system32\windowspowershell\v1.0\",
            r"\windows\syswow64\windowspowershell\v1.0\",
        ],
        named: r"C:\Windows\System32\WindowsPowerShell\v1.0",
        names: &["powershell.exe", "powershell_ise.exe"],
    },
    Programs {
        folders: &[
            "/usr/sbin/",
            "/sbin/",
            "/usr/bin/",
            "/bin/",
            "/usr/lib/systemd/",
            "/lib/systemd/",
            "/usr/lib/openssh/",
            "/usr/libexec/",
        ],
        named: "/usr/sbin",
        names: &[
            "sshd",
            "crond",
            "cron",
            "systemd",
            "init",
            "launchd",
            "rsyslogd",
            "auditd",
            "dbus-daemon",
            "udevd",
        ],
    },
    Programs {
        folders: &["/usr/bin/", "/bin/", "/usr/local/bin/", "/opt/homebrew/bin/"],
        named: "/usr/bin",
        names: &["bash", "sudo", "passwd", "dash", "curl", "wget"],
    },
];

/// Returns the names of all programs, in small letters.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().flat_map(|programs| programs.names.iter().copied())
}

/// Returns the folder that a program of this name belongs to, if `path` is in another one.
pub(crate) fn expected_folder(name: &str, path: &str) -> Option<&'static str> {
    let (folder, _) = path.rsplit_once(['/', '\\'])?;
    let name = name.rsplit(['/', '\\']).next()?.to_lowercase();
    let programs = || PROGRAMS.iter().filter(|programs| programs.names.contains(&name.as_str()));
    let named = programs().next()?.named;
    let folder = without_root(&folder.trim_end_matches(['/', '\\']).to_lowercase());
    let windows = folder.contains('\\');
    // Updates keep copies of every program here.
    let is_store = folder.contains(r"\windows\winsxs\") || folder.contains(r"\windows\servicing\");
    let expected = programs().flat_map(|programs| programs.folders);
    // The same name may be another program on the other kind of system.
    let mut of_this_kind = expected.filter(|folder| folder.contains('\\') == windows).peekable();
    of_this_kind.peek()?;
    (!is_store && of_this_kind.all(|expected| folder != *expected)).then_some(named)
}

/// Returns a folder in one spelling, without its drive and with a separator at its end.
fn without_root(folder: &str) -> String {
    let is_windows = folder.contains('\\') || folder.as_bytes().get(1) == Some(&b':');
    if !is_windows {
        return format!("{folder}/");
    }
    let mut folder = folder.replace('/', r"\");
    // Doubled separators are one, but for the two that begin the name of a server.
    while let Some(doubled) = folder.get(1..).and_then(|rest| rest.find(r"\\")) {
        folder.remove(doubled + 1);
    }
    let folder = [r"\??\", r"\\?\"].iter().find_map(|prefix| folder.strip_prefix(prefix)).unwrap_or(&folder);
    let folder = match folder.as_bytes() {
        [_, b':', ..] if folder.is_char_boundary(2) => &folder[2..],
        _ => folder,
    };
    let folder = match folder.strip_prefix(r"\device\harddiskvolume") {
        Some(volume) => volume.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => folder,
    };
    let root = [r"\systemroot", "%systemroot%", "%windir%"];
    match root.iter().find_map(|root| folder.strip_prefix(root)) {
        Some(rest) => format!(r"\windows{rest}\"),
        None => format!(r"{folder}\"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_programs_have_their_folders() {
        for path in [
            r"C:\Windows\System32\svchost.exe",
            r"d:\windows\syswow64\SVCHOST.EXE",
            r"\??\C:\Windows\System32\svchost.exe",
            r"\Device\HarddiskVolume12\Windows\System32\svchost.exe",
            r"\SystemRoot\System32\svchost.exe",
            r"%SystemRoot%\System32\svchost.exe",
            "C:/Windows/System32/svchost.exe",
            r"C:\Windows\WinSxS\amd64_x\svchost.exe",
            r"C:\\Windows\\System32\\svchost.exe",
            "svchost.exe",
            "",
            "/opt/wine/svchost.exe",
        ] {
            assert_eq!(expected_folder("svchost.exe", path), None, "{path}");
        }
        for path in [
            r"C:\Users\Public\svchost.exe",
            r"C:\svchost.exe",
            r"C:\Windows\svchost.exe",
            r"\\h\s\svchost.exe",
        ] {
            assert_eq!(expected_folder("SvcHost.exe", path), Some(r"C:\Windows\System32"), "{path}");
        }
        assert_eq!(expected_folder("explorer.exe", r"C:\Windows\System32\explorer.exe"), Some(r"C:\Windows"));
        assert_eq!(expected_folder("sshd", "/tmp/sshd"), Some("/usr/sbin"));
        assert_eq!(expected_folder("sshd", "/usr/sbin/sshd"), None);
        assert_eq!(expected_folder("curl", r"C:\Windows\System32\curl"), None);
        assert_eq!(expected_folder("é", "é:é\\é"), None);
    }

    #[test]
    fn every_folder_is_spelt_as_it_is_looked_up() {
        for programs in PROGRAMS {
            for folder in programs.folders {
                assert_eq!(*folder, folder.to_lowercase());
                assert!(folder.ends_with(['\\', '/']), "{folder}");
            }
            for name in programs.names {
                assert_eq!(*name, name.to_lowercase());
                assert_eq!(expected_folder(name, &format!("{}x", programs.folders[0])), None, "{name}");
            }
        }
    }
}
