//! The names that Windows has for numbers: logon types, and well-known security identifiers.

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
