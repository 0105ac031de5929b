//! The names that Windows has for numbers: logon types, reasons of failed logons, sessions of the system, and well-known security
//! identifiers.

/// Returns the name of a logon type (event 4624, field `LogonType`).
pub fn logon_type(number: i128) -> Option<&'static str> {
    Some(match number {
        0 => "System",
        2 => "Interactive",
        3 => "Network",
        4 => "Batch",
        5 => "Service",
        7 => "Unlock",
        8 => "NetworkCleartext",
        9 => "NewCredentials",
        10 => "RemoteInteractive",
        11 => "CachedInteractive",
        12 => "CachedRemoteInteractive",
        13 => "CachedUnlock",
        _ => return None,
    })
}

/// Returns the name of a security identifier, if it is well known or that of an account that every machine or domain has.
pub fn sid(sid: &str) -> Option<&'static str> {
    well_known(sid).or_else(|| domain_account(sid))
}

/// The names of identifiers that are the same on every machine.
fn well_known(sid: &str) -> Option<&'static str> {
    Some(match sid {
        "S-1-0-0" => "Null SID",
        "S-1-1-0" => "Everyone",
        "S-1-2-0" => "LOCAL",
        "S-1-2-1" => "CONSOLE LOGON",
        "S-1-3-0" => "CREATOR OWNER",
        "S-1-3-1" => "CREATOR GROUP",
        "S-1-3-2" => "CREATOR OWNER SERVER",
        "S-1-3-3" => "CREATOR GROUP SERVER",
        "S-1-3-4" => "OWNER RIGHTS",
        "S-1-5-1" => "DIALUP",
        "S-1-5-2" => "NETWORK",
        "S-1-5-3" => "BATCH",
        "S-1-5-4" => "INTERACTIVE",
        "S-1-5-6" => "SERVICE",
        "S-1-5-7" => "ANONYMOUS LOGON",
        "S-1-5-8" => "PROXY",
        "S-1-5-9" => "ENTERPRISE DOMAIN CONTROLLERS",
        "S-1-5-10" => "SELF",
        "S-1-5-11" => "Authenticated Users",
        "S-1-5-12" => "RESTRICTED",
        "S-1-5-13" => "TERMINAL SERVER USER",
        "S-1-5-14" => "REMOTE INTERACTIVE LOGON",
        "S-1-5-15" => "This Organization",
        "S-1-5-17" => "IUSR",
        "S-1-5-18" => "SYSTEM",
        "S-1-5-19" => "LOCAL SERVICE",
        "S-1-5-20" => "NETWORK SERVICE",
        "S-1-5-32-544" => "Administrators",
        "S-1-5-32-545" => "Users",
        "S-1-5-32-546" => "Guests",
        "S-1-5-32-547" => "Power Users",
        "S-1-5-32-548" => "Account Operators",
        "S-1-5-32-549" => "Server Operators",
        "S-1-5-32-550" => "Print Operators",
        "S-1-5-32-551" => "Backup Operators",
        "S-1-5-32-552" => "Replicator",
        "S-1-5-32-554" => "Pre-Windows 2000 Compatible Access",
        "S-1-5-32-555" => "Remote Desktop Users",
        "S-1-5-32-556" => "Network Configuration Operators",
        "S-1-5-32-557" => "Incoming Forest Trust Builders",
        "S-1-5-32-558" => "Performance Monitor Users",
        "S-1-5-32-559" => "Performance Log Users",
        "S-1-5-32-560" => "Windows Authorization Access Group",
        "S-1-5-32-561" => "Terminal Server License Servers",
        "S-1-5-32-562" => "Distributed COM Users",
        "S-1-5-32-568" => "IIS_IUSRS",
        "S-1-5-32-569" => "Cryptographic Operators",
        "S-1-5-32-573" => "Event Log Readers",
        "S-1-5-32-574" => "Certificate Service DCOM Access",
        "S-1-5-32-575" => "RDS Remote Access Servers",
        "S-1-5-32-576" => "RDS Endpoint Servers",
        "S-1-5-32-577" => "RDS Management Servers",
        "S-1-5-32-578" => "Hyper-V Administrators",
        "S-1-5-32-579" => "Access Control Assistance Operators",
        "S-1-5-32-580" => "Remote Management Users",
        "S-1-5-32-581" => "System Managed Accounts Group",
        "S-1-5-32-582" => "Storage Replica Administrators",
        "S-1-5-32-583" => "Device Owners",
        "S-1-5-64-10" => "NTLM Authentication",
        "S-1-5-64-14" => "SChannel Authentication",
        "S-1-5-64-21" => "Digest Authentication",
        "S-1-5-80-0" => "ALL SERVICES",
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464" => "TrustedInstaller",
        "S-1-5-83-0" => "Virtual Machines",
        "S-1-5-90-0" => "Window Manager Group",
        "S-1-5-113" => "Local account",
        "S-1-5-114" => "Local account and member of Administrators group",
        "S-1-5-1000" => "Other Organization",
        "S-1-15-2-1" => "ALL APPLICATION PACKAGES",
        "S-1-15-2-2" => "ALL RESTRICTED APPLICATION PACKAGES",
        "S-1-16-0" => "Untrusted Mandatory Level",
        "S-1-16-4096" => "Low Mandatory Level",
        "S-1-16-8192" => "Medium Mandatory Level",
        "S-1-16-8448" => "Medium Plus Mandatory Level",
        "S-1-16-12288" => "High Mandatory Level",
        "S-1-16-16384" => "System Mandatory Level",
        "S-1-16-20480" => "Protected Process Mandatory Level",
        "S-1-18-1" => "Authentication authority asserted identity",
        "S-1-18-2" => "Service asserted identity",
        _ => return None,
    })
}

/// The names of accounts and groups that every machine or domain has, `S-1-5-21-x-y-z-` in front.
fn domain_account(sid: &str) -> Option<&'static str> {
    let mut parts = sid.strip_prefix("S-1-5-21-")?.split('-');
    for _ in 0..3 {
        parts.next()?.parse::<u32>().ok()?;
    }
    let (rid, None) = (parts.next()?, parts.next()) else { return None };
    Some(match rid {
        "498" => "Enterprise Read-only Domain Controllers",
        "500" => "Administrator",
        "501" => "Guest",
        "502" => "krbtgt",
        "503" => "DefaultAccount",
        "504" => "WDAGUtilityAccount",
        "512" => "Domain Admins",
        "513" => "Domain Users",
        "514" => "Domain Guests",
        "515" => "Domain Computers",
        "516" => "Domain Controllers",
        "517" => "Cert Publishers",
        "518" => "Schema Admins",
        "519" => "Enterprise Admins",
        "520" => "Group Policy Creator Owners",
        "521" => "Read-only Domain Controllers",
        "522" => "Cloneable Domain Controllers",
        "525" => "Protected Users",
        "526" => "Key Admins",
        "527" => "Enterprise Key Admins",
        "553" => "RAS and IAS Servers",
        "571" => "Allowed RODC Password Replication Group",
        "572" => "Denied RODC Password Replication Group",
        _ => return None,
    })
}

/// Returns the reason of a failed logon (event 4625, fields `Status` and `SubStatus`), by Microsoft's list of NTSTATUS values
/// (MS-ERREF, 2.3.1). The code is hexadecimal or a number, as in `0xc000006a`, `3221225578` and `-1073741718`.
pub fn logon_failure(code: &str) -> Option<&'static str> {
    Some(match number(code)? {
        0xc000_0022 => "access denied",
        0xc000_005e => "no logon server can be reached",
        0xc000_0064 => "no such account",
        0xc000_006a => "wrong password",
        0xc000_006d => "wrong account or password",
        0xc000_006e => "the account is restricted",
        0xc000_006f => "outside the hours of the account",
        0xc000_0070 => "not from this workstation",
        0xc000_0071 => "the password has expired",
        0xc000_0072 => "the account is disabled",
        0xc000_00dc => "the server is in the wrong state",
        0xc000_010b => "invalid logon type",
        0xc000_0133 => "the clocks differ",
        0xc000_015b => "this type of logon is not granted",
        0xc000_018c => "the domains don't trust each other",
        0xc000_0192 => "the service Netlogon does not run",
        0xc000_0193 => "the account has expired",
        0xc000_0224 => "the password has to be changed first",
        0xc000_0234 => "the account is locked",
        0xc000_02ee => "an error during the logon",
        0xc000_0413 => "the authentication firewall forbids it",
        _ => return None,
    })
}

/// Returns whether a status is success. `None` if it is no number.
pub fn is_success(code: &str) -> Option<bool> {
    number(code).map(|number| number == 0)
}

/// Returns the name of a logon session that every Windows has (field `TargetLogonId`).
pub fn logon_session(id: &str) -> Option<&'static str> {
    Some(match number(id)? {
        0x3e3 => "session of IUSR",
        0x3e4 => "session of NETWORK SERVICE",
        0x3e5 => "session of LOCAL SERVICE",
        0x3e6 => "anonymous session",
        0x3e7 => "session of the system",
        _ => return None,
    })
}

/// Returns the kind of account or group that an identifier stands for, by its authority and its first parts.
pub fn sid_kind(sid: &str) -> Option<&'static str> {
    let sid = sid.trim();
    let is_of = |prefix: &str| sid.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-'));
    if is_of("S-1-5-21") {
        let relative: u32 = sid.rsplit('-').next()?.parse().ok()?;
        return Some(if relative < 1000 {
            "built-in account or group of a machine or domain"
        } else {
            "account or group of a machine or domain"
        });
    }
    let kinds = [
        ("S-1-12-1", "account of Microsoft Entra ID"),
        ("S-1-5-32", "built-in group"),
        ("S-1-5-80", "service"),
        ("S-1-5-82", "application pool of IIS"),
        ("S-1-5-83", "virtual machine"),
        ("S-1-5-90", "window manager"),
        ("S-1-5-96", "font driver host"),
        ("S-1-5-5", "logon session"),
        ("S-1-15-2", "app"),
    ];
    kinds.into_iter().find(|(prefix, _)| is_of(prefix)).map(|(_, kind)| kind)
}

/// A code as Windows and exports write it: hexadecimal, a number, or a negative number of 32 bits.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    text.parse().ok().or_else(|| text.parse::<i32>().ok().map(|number| u64::from(number.cast_unsigned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_known_in_every_spelling() {
        for code in ["0xC000006A", "0xc000006a", "3221225578", "-1073741718", " 0xc000006a "] {
            assert_eq!(logon_failure(code), Some("wrong password"), "{code}");
        }
        assert_eq!(["0x0", "-", "", "0xzz", "0xfffffffffffffffffff"].map(logon_failure), [None; 5]);
        assert_eq!(
            ["0x0", "0", "0xc0000064", "-"].map(is_success),
            [Some(true), Some(true), Some(false), None]
        );
    }

    #[test]
    fn sessions_and_kinds_of_identifiers() {
        let system = Some("session of the system");
        assert_eq!(["0x3e7", "999", "0xfaac27", "-"].map(logon_session), [system, system, None, None]);
        assert_eq!(sid_kind("S-1-5-80-956008885-1"), Some("service"));
        assert_eq!(sid_kind("S-1-5-21-1-2-3-1001"), Some("account or group of a machine or domain"));
        assert_eq!(sid_kind("S-1-5-21-1-2-3-500"), Some("built-in account or group of a machine or domain"));
        assert_eq!(["S-1-5-800", "S-1-5-21", "x", ""].map(sid_kind), [None; 4]);
    }
}
