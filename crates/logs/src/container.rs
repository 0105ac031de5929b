//! Files that hold other files: ZIP and tar archives, as collectors of evidence and exports of clouds write them.
//!
//! The members of a tar archive come one after the other, also behind a compression. A ZIP archive has its list at its end, so it has to
//! be a file that can be read at any place. Names of members are names and nothing more: nothing is written by them.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::content::{Damage, damage_of, opened};
use crate::source::{PassedOver, Source, hidden_reason, shown};
use crate::{Error, Result};

/// The kind of a file that holds others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// A ZIP archive.
    Zip,
    /// A tar archive, compressed or not.
    Tar,
}

/// Members beyond this number are not looked at: nobody has as many logs in a file, and lists can be hostile.
const MOST_MEMBERS: usize = 1 << 20;

/// Takes a member by its name, which has a `/` between folders. An error is about this member alone.
pub type TakeMember<'a> = dyn FnMut(&str, &mut dyn Read) -> Result<()> + 'a;

impl Container {
    /// The kind in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zip => "a ZIP archive",
            Self::Tar => "a tar archive",
        }
    }
}

/// Gives the files of a ZIP archive to `take`, in the order of its list, and returns those that were passed over.
///
/// # Errors
/// The archive has no list that can be read.
pub fn unpack_zip(archive: File, name: &str, take: &mut TakeMember<'_>) -> Result<Vec<PassedOver>> {
    let damaged = |error: &dyn std::fmt::Display| {
        Error::new(format!(
            "{} is a ZIP archive whose list can't be read: {error}; copy it again from where it is whole",
            shown(name)
        ))
    };
    let listed = members_in_list(&archive);
    let mut archive = zip::ZipArchive::new(archive).map_err(|error| damaged(&error))?;
    let mut passed_over = vec![];
    // The list is read by names, of which the last one stays.
    if let Some(hidden) =
        listed.and_then(|listed| listed.checked_sub(archive.len())).filter(|hidden| *hidden > 0)
    {
        let reason = format!(
            "{hidden} of its files have the name of another one, and are not read: unpack it to see them"
        );
        passed_over.push(PassedOver { file: name.to_string(), reason });
    }
    if archive.len() > MOST_MEMBERS {
        return Err(damaged(&format!("it has {} members", archive.len())));
    }
    for index in 0..archive.len() {
        let listed = match archive.name_for_index(index) {
            Some(Ok(name)) => name.into_owned(),
            _ => format!("member {index}"),
        };
        let mut member = match archive.by_index(index) {
            Ok(member) => member,
            Err(error) => {
                let reason = match error {
                    zip::result::ZipError::UnsupportedArchive(zip::result::ZipError::PASSWORD_REQUIRED) => {
                        "it is encrypted: unpack it with its password".to_string()
                    }
                    error => format!("it can't be unpacked here: {error}; another program may"),
                };
                passed_over.push(PassedOver { file: member_name(name, &listed), reason });
                continue;
            }
        };
        if !member.is_file() {
            continue;
        }
        give(name, &listed, &mut member, take, &mut passed_over);
    }
    Ok(passed_over)
}

/// The number of members that the end of a ZIP archive tells; none if it is beyond what its first form can tell.
fn members_in_list(archive: &File) -> Option<usize> {
    const END: &[u8] = b"PK\x05\x06";
    const LONGEST: u64 = 22 + 65_535;
    let mut archive = archive;
    let length = archive.seek(SeekFrom::End(0)).ok()?;
    archive.seek(SeekFrom::Start(length.saturating_sub(LONGEST))).ok()?;
    let mut end = vec![];
    archive.take(LONGEST).read_to_end(&mut end).ok()?;
    archive.seek(SeekFrom::Start(0)).ok()?;
    let at = memchr::memmem::rfind(&end, END)?;
    let count = end.get(at + 10..)?.first_chunk().map(|count| u16::from_le_bytes(*count))?;
    (count < u16::MAX).then_some(usize::from(count))
}

/// Gives the files of a tar archive to `take`, in their order, and returns those that were passed over. An archive that is cut off
/// gives what is before the cut.
///
/// # Errors
/// It can't be opened, or its compression is damaged: then any byte before may be wrong.
pub fn unpack_tar(source: &dyn Source, take: &mut TakeMember<'_>) -> Result<Vec<PassedOver>> {
    let name = source.name().to_string();
    let damage = RefCell::new(None);
    let mut bytes = Watched { bytes: opened(source)?.into_bytes(), damage: &damage };
    let passed_over = members_of_tar(&name, &mut bytes, take)?;
    // A checksum is behind the last member.
    let _ = io::copy(&mut bytes, &mut io::sink());
    match damage.into_inner() {
        Some(Damage { reason, is_cut: false }) => {
            Err(Error::new(format!("{} {reason}; copy it again from where it is whole", shown(&name))))
        }
        _ => Ok(passed_over),
    }
}

fn members_of_tar(name: &str, bytes: impl Read, take: &mut TakeMember<'_>) -> Result<Vec<PassedOver>> {
    let mut archive = tar::Archive::new(bytes);
    let damaged = |error: &io::Error| {
        format!("it is damaged or cut off here: {error}; copy it again from where it is whole")
    };
    let members =
        archive.entries().map_err(|error| Error::new(format!("{}: {}", shown(name), damaged(&error))))?;
    let mut passed_over = vec![];
    for (number, member) in members.enumerate() {
        let mut member = match member {
            Ok(member) if number < MOST_MEMBERS => member,
            Ok(_) => {
                let reason = format!("members behind the first {MOST_MEMBERS} are not looked at");
                passed_over.push(PassedOver { file: name.to_string(), reason });
                break;
            }
            Err(error) => {
                passed_over.push(PassedOver { file: name.to_string(), reason: damaged(&error) });
                break;
            }
        };
        let listed = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        if let Some(reason) = no_file(&mut member) {
            passed_over.push(PassedOver { file: member_name(name, &listed), reason: reason.to_string() });
            continue;
        }
        if !member.header().entry_type().is_file() {
            continue;
        }
        let size = member.size();
        let mut bytes = OfSize { bytes: &mut member, left: size };
        give(name, &listed, &mut bytes, take, &mut passed_over);
    }
    Ok(passed_over)
}

/// The reason to pass over a member that has no bytes of its own, or not all of them. Folders have nothing to lose.
fn no_file<R: Read>(member: &mut tar::Entry<'_, R>) -> Option<&'static str> {
    let kind = member.header().entry_type();
    if kind.is_hard_link() || kind.is_symlink() {
        return Some("it is a link: unpack the archive to read it");
    }
    let is_sparse = |extensions: tar::PaxExtensions<'_>| {
        extensions.flatten().any(|extension| extension.key_bytes().starts_with(b"GNU.sparse."))
    };
    if kind.is_gnu_sparse() || member.pax_extensions().ok().flatten().is_some_and(is_sparse) {
        return Some("it is a file with holes: unpack the archive to read it");
    }
    (!kind.is_file() && !kind.is_dir()).then_some("it is no file")
}

/// Bytes behind a compression, whose damage is kept.
struct Watched<'a, R> {
    bytes: R,
    damage: &'a RefCell<Option<Damage>>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer);
        if let Some(damage) = read.as_ref().err().and_then(damage_of) {
            self.damage.borrow_mut().get_or_insert(damage);
        }
        read
    }
}

fn give(
    archive: &str,
    listed: &str,
    bytes: &mut dyn Read,
    take: &mut TakeMember<'_>,
    passed_over: &mut Vec<PassedOver>,
) {
    // Windows writes `\` between folders.
    let listed = listed.replace('\\', "/");
    let listed = listed.trim_start_matches("./");
    if let Some(reason) = hidden_reason(listed) {
        passed_over.push(PassedOver { file: member_name(archive, listed), reason: reason.to_string() });
        return;
    }
    if let Err(error) = take(listed, bytes) {
        passed_over.push(PassedOver { file: member_name(archive, listed), reason: error.to_string() });
    }
}

/// Bytes of a known number. If they end before, that is an error.
struct OfSize<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for OfSize<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends within this file"));
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// The name of a member for messages and for the column `_file`.
pub fn member_name(archive: &str, member: &str) -> String {
    format!("{archive}/{}", member.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;
    use crate::source::BytesSource;

    const FILES: [(&str, &str); 4] = [
        ("a.csv", "x\n1\n"),
        ("logs/b.csv", "x\n2\n"),
        ("__MACOSX/._a.csv", "junk"),
        ("./logs\\c.csv", "x\n3\n"),
    ];

    fn zip() -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
        for (name, text) in FILES {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("a member");
            writer.write_all(text.as_bytes()).expect("its bytes");
        }
        writer.finish().expect("an archive").into_inner()
    }

    fn tar() -> Vec<u8> {
        let mut builder = tar::Builder::new(vec![]);
        for (name, text) in FILES {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, text.as_bytes()).expect("a member");
        }
        builder.into_inner().expect("an archive")
    }

    /// The members that are given, as `name=text`, and those that are passed over, as `name: reason`.
    type Seen = (Vec<String>, Vec<String>);

    fn of_zip(bytes: &[u8]) -> Result<Seen> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("its bytes");
        let mut given = vec![];
        let passed_over = unpack_zip(file, "x.zip", &mut |name, bytes| take(&mut given, name, bytes))?;
        Ok((given, told(&passed_over)))
    }

    fn of_tar(bytes: &[u8]) -> Result<Seen> {
        let mut given = vec![];
        let source = BytesSource::new("x.tar", bytes);
        let passed_over = unpack_tar(&source, &mut |name, bytes| take(&mut given, name, bytes))?;
        Ok((given, told(&passed_over)))
    }

    fn take(given: &mut Vec<String>, name: &str, bytes: &mut dyn Read) -> Result<()> {
        let mut text = String::new();
        bytes.read_to_string(&mut text).map_err(|error| Error::new(error.to_string()))?;
        given.push(format!("{name}={text}"));
        Ok(())
    }

    fn told(passed_over: &[PassedOver]) -> Vec<String> {
        passed_over.iter().map(|file| format!("{}: {}", file.file, file.reason)).collect()
    }

    #[test]
    fn members_are_given_and_hidden_ones_told() {
        let all = ["a.csv=x\n1\n", "logs/b.csv=x\n2\n", "logs/c.csv=x\n3\n"];
        for (bytes, seen) in [(zip(), of_zip as fn(&[u8]) -> Result<Seen>), (tar(), of_tar)] {
            let (given, passed_over) = seen(&bytes).expect("an archive");
            assert_eq!(given, all);
            assert_eq!(passed_over.len(), 1, "{passed_over:?}");
            assert!(passed_over[0].contains("__MACOSX/._a.csv: left by a system"), "{passed_over:?}");
        }
    }

    #[test]
    fn tar_behind_a_compression_is_read_up_to_its_damage() {
        let whole = tar();
        let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        packed.write_all(&whole).expect("its bytes");
        assert_eq!(of_tar(&packed.finish().expect("an archive")).expect("an archive").0.len(), 3);
        let (given, passed_over) = of_tar(&whole[..1024 + 514]).expect("its beginning");
        assert_eq!(given, ["a.csv=x\n1\n"]);
        assert!(
            passed_over.iter().any(|told| told.contains("logs/b.csv: the archive ends within this file")),
            "{passed_over:?}"
        );
    }

    /// A checksum behind the last member counts, too.
    #[test]
    fn damage_of_a_compression_leaves_nothing() {
        let text = (0..20_000).fold(String::new(), |text, n| text + &n.to_string() + "\n");
        let mut builder = tar::Builder::new(vec![]);
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, "a.csv", text.as_bytes()).expect("a member");
        let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        packed.write_all(&builder.into_inner().expect("an archive")).expect("its bytes");
        let whole = packed.finish().expect("an archive");
        assert_eq!(of_tar(&whole).expect("an archive").0.len(), 1);
        let mut wrong = whole.clone();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        let error = of_tar(&wrong).expect_err("a wrong checksum").to_string();
        assert!(error.contains("is damaged"), "{error}");
        assert!(of_tar(&whole[..whole.len() - 9]).is_ok());
    }

    #[test]
    fn what_is_not_read_is_told() {
        let mut builder = tar::Builder::new(vec![]);
        for kind in
            [tar::EntryType::Link, tar::EntryType::Symlink, tar::EntryType::Fifo, tar::EntryType::Directory]
        {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(0);
            builder.append_link(&mut header, format!("{kind:?}"), "a.csv").expect("a member");
        }
        let (given, told) = of_tar(&builder.into_inner().expect("an archive")).expect("an archive");
        assert_eq!((given.len(), told.len()), (0, 3), "{told:?}");

        let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
        for name in ["a.csv", "b.csv"] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("a member");
            writer.write_all(b"x\n1\n").expect("its bytes");
        }
        let mut twins = writer.finish().expect("an archive").into_inner();
        while let Some(at) = memchr::memmem::find(&twins, b"b.csv") {
            twins[at] = b'a';
        }
        let (given, told) = of_zip(&twins).expect("an archive");
        assert_eq!((given.len(), told.len()), (1, 1), "{told:?}");
        assert!(told[0].contains("1 of its files have the name of another one"), "{told:?}");
    }

    /// Any change of one byte, and any cut, is an answer or an error.
    #[test]
    fn damage_is_an_answer_or_an_error() {
        for (bytes, seen) in [(zip(), of_zip as fn(&[u8]) -> Result<Seen>), (tar(), of_tar)] {
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 0x55;
                let _ = seen(&damaged);
                if at % 16 == 0 {
                    let _ = seen(&bytes[..at]);
                }
            }
        }
        let error = of_zip(b"PK\x03\x04").expect_err("no list").to_string();
        assert!(error.contains("'x.zip' is a ZIP archive whose list can't be read"), "{error}");
    }
}
