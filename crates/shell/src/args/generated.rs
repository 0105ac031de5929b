//! Files that are made of the definition of the command line: completions for shells, and pages of the manual.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::Cli;
use super::tools::Shell;

pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut Cli::command(), "dbcluster", &mut script);
    script
}

/// The manual page of the program, or of a subcommand.
pub(super) fn manual(about: Option<&str>) -> Result<Vec<u8>, clap::Error> {
    let mut command = Cli::command();
    // Subcommands take the options that all have.
    command.build();
    let described = match about {
        None => command.clone(),
        Some(name) => match command.find_subcommand(name) {
            Some(found) => found.clone(),
            None => {
                let message = format!("there is no subcommand '{name}'; dbcluster --help lists them");
                return Err(command.error(ErrorKind::InvalidSubcommand, message));
            }
        },
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(described).render(&mut page)?;
    Ok(page)
}
