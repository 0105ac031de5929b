//! The company that the events come from: its hosts, its people and their identifiers.

use fastrand::Rng;

/// The domain of the company.
pub(super) const DOMAIN: &str = "CONTOSO";

/// Monday, 2025-01-06 00:00 UTC, in microseconds.
pub(super) const START: i64 = 1_736_121_600_000_000;

/// The time that the events spread over: a week.
pub(super) const SPAN: i64 = 7 * 86_400_000_000;

const KINDS: [&str; 8] = ["WKS", "WKS", "WKS", "WKS", "LAP", "SRV", "SQL", "WEB"];

const FIRST_NAMES: [&str; 20] = [
    "alex", "sam", "jo", "chris", "pat", "kim", "lee", "max", "ana", "eva", "ivan", "olga", "raj", "mei",
    "yuki", "omar", "lena", "nils", "tara", "hugo",
];

const LAST_NAMES: [&str; 16] = [
    "smith", "jones", "garcia", "chen", "kumar", "ivanov", "mueller", "rossi", "tanaka", "silva", "khan",
    "novak", "dubois", "larsen", "okafor", "haddad",
];

/// The purpose of a stream of random numbers. Streams of different purposes are independent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    World = 1,
    Templates,
    Processes,
    ProcessAnomalies,
    Logons,
    LogonAnomalies,
    Tree,
}

/// The random numbers of one purpose and one part of the work, whichever thread does the part.
pub(super) fn stream(seed: u64, purpose: Purpose, part: u64) -> Rng {
    Rng::with_seed(mix(mix(seed ^ (purpose as u64) << 56) ^ part))
}

/// Mixes the bits of a number, so that neighbouring numbers become unlike (the finaliser of splitmix64).
pub(super) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// One computer.
#[derive(Debug)]
pub(super) struct Host {
    /// `WKS-00012`
    pub(super) name: String,
    /// `WKS-00012.contoso.com`
    pub(super) fqdn: String,
    /// `CONTOSO\WKS-00012$`
    pub(super) machine_account: String,
    pub(super) address: String,
}

/// One person.
#[derive(Debug)]
pub(super) struct User {
    /// `eva.novak`
    pub(super) name: String,
    /// `CONTOSO\eva.novak`
    pub(super) account: String,
}

/// Hosts and users of one sample.
#[derive(Debug)]
pub(super) struct World {
    pub(super) hosts: Vec<Host>,
    pub(super) users: Vec<User>,
    /// The identifier of the domain, in every SID.
    pub(super) domain_sid: String,
}

impl World {
    /// Makes a company whose size grows with the number of events.
    pub(super) fn new(seed: u64, rows: u64) -> Self {
        let mut rng = stream(seed, Purpose::World, 0);
        let hosts = (rows / 400).clamp(12, 2000);
        let hosts: Vec<Host> = (0..hosts)
            .map(|number| {
                let name = format!("{}-{number:05}", KINDS[rng.usize(..KINDS.len())]);
                Host {
                    fqdn: format!("{name}.contoso.com"),
                    machine_account: format!("{DOMAIN}\\{name}$"),
                    address: format!("10.{}.{}.{}", rng.u8(1..8), rng.u8(..), rng.u8(1..255)),
                    name,
                }
            })
            .collect();
        let pairs = FIRST_NAMES.len() * LAST_NAMES.len();
        let mut order: Vec<usize> = (0..pairs).collect();
        rng.shuffle(&mut order);
        let users = (0..hosts.len() * 3 / 2)
            .map(|number| {
                let pair = order[number % pairs];
                let (first, last) =
                    (FIRST_NAMES[pair % FIRST_NAMES.len()], LAST_NAMES[pair / FIRST_NAMES.len()]);
                let again = if number < pairs { String::new() } else { (number / pairs + 1).to_string() };
                let name = format!("{first}.{last}{again}");
                User { account: format!("{DOMAIN}\\{name}"), name }
            })
            .collect();
        let domain_sid =
            format!("S-1-5-21-{}-{}-{}", rng.u32(1 << 28..), rng.u32(1 << 28..), rng.u32(1 << 28..));
        Self { hosts, users, domain_sid }
    }

    /// A random host. Some hosts are busier than others.
    pub(super) fn any_host(&self, rng: &mut Rng) -> usize {
        let hosts = self.hosts.len();
        rng.usize(..hosts).min(rng.usize(..hosts))
    }

    /// A random one of the three people who use a host.
    pub(super) fn any_user_of(&self, host: usize, rng: &mut Rng) -> usize {
        let person = mix(host as u64 * 3 + rng.u64(..3));
        (person % self.users.len() as u64) as usize
    }
}

/// The session id of a person on a host on one day, as `0x...` writes it.
pub(super) fn logon_id(host: usize, user: usize, time: i64) -> u64 {
    let day = (time - START).div_euclid(86_400_000_000);
    0x1_0000 + mix(mix(host as u64) ^ mix(user as u64 + 7) ^ mix(day as u64 + 13)) % 0xff_0000
}

/// The time of the `row`th of `rows` events. Times ascend with the row, so the parts of a file need no sorting.
pub(super) fn time_of(row: u64, rows: u64, rng: &mut Rng) -> i64 {
    let at = |row: u64| START + (i128::from(SPAN) * i128::from(row) / i128::from(rows)) as i64;
    let (from, to) = (at(row), at(row + 1));
    if to > from { rng.i64(from..to) } else { from }
}

/// The rows that are special: one at random in each of some equal parts. There are `least` parts and more with the square
/// root of the rows, but at most a quarter of the rows.
pub(super) fn special_rows(seed: u64, purpose: Purpose, rows: u64, least: u64) -> Vec<u64> {
    let count = (least + rows.isqrt() / 8).min(rows / 4);
    let mut rng = stream(seed, purpose, u64::MAX);
    (0..count)
        .map(|number| {
            let at = |number: u64| (u128::from(rows) * u128::from(number) / u128::from(count)) as u64;
            rng.u64(at(number)..at(number + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_ascend() {
        for rows in [1, 10, 1000] {
            let mut rng = Rng::with_seed(1);
            let times: Vec<i64> = (0..rows).map(|row| time_of(row, rows, &mut rng)).collect();
            assert!(times.is_sorted(), "{rows}");
            assert!(times.iter().all(|time| (START..START + SPAN).contains(time)));
        }
    }

    #[test]
    fn special_rows_are_few_and_distinct() {
        for (rows, count) in [(2, 0), (10, 2), (20_000, 41), (1_000_000, 149)] {
            let special = special_rows(1, Purpose::ProcessAnomalies, rows, 24);
            assert_eq!(special.len(), count, "{rows}");
            assert!(special.is_sorted_by(|a, b| a < b));
            assert!(special.iter().all(|row| *row < rows));
        }
    }

    #[test]
    fn names_of_people_are_distinct() {
        let world = World::new(1, 10_000_000);
        let mut names: Vec<&str> = world.users.iter().map(|user| user.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), world.users.len());
    }
}
