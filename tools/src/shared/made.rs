//! `completions` and `man`: made of the same description of the command line that reads it. One file of every program that has
//! them, because each has its own `Cli` and `Error`.

use std::{fs, path::PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    cli::{Cli, print},
    error::Error,
};

/// The program that this is compiled into.
const NAME: &str = env!("CARGO_BIN_NAME");

/// Options of `completions`.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  {NAME} completions bash > ~/.local/share/bash-completion/completions/{NAME}
  {NAME} completions zsh > ~/.zfunc/_{NAME}
  {NAME} completions fish > ~/.config/fish/completions/{NAME}.fish

Exit codes:
  0  done
  2  wrong usage"))]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  {NAME} man | man -l -
  {NAME} man --dir /usr/local/share/man/man1

Exit codes:
  0  done
  2  wrong usage, or the pages cannot be written"))]
pub struct ManArgs {
    /// Write the page of every command into this folder; without it, the first page goes to standard output.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs `completions`; returns its exit code.
///
/// # Errors
/// [`Error`] where standard output cannot be written.
pub fn completions(arguments: &CompletionsArgs) -> Result<u8, Error> {
    let mut bytes = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), NAME, &mut bytes);
    print(&String::from_utf8_lossy(&bytes))?;
    Ok(tools::exit::OK)
}

/// Runs `man`; returns its exit code.
///
/// # Errors
/// [`Error`] where a page cannot be written.
pub fn man(arguments: &ManArgs) -> Result<u8, Error> {
    if let Some(folder) = &arguments.dir {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(Error::file("write", folder))?;
        return Ok(tools::exit::OK);
    }
    let mut bytes = Vec::new();
    let rendered = clap_mangen::Man::new(Cli::command()).render(&mut bytes);
    rendered.map_err(|error| Error::Defect(error.to_string()))?;
    print(&String::from_utf8_lossy(&bytes))?;
    Ok(tools::exit::OK)
}
