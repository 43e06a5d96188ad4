//! The hidden subcommand that a process of the lab is started through, inside its namespace: it takes on the user, ties its
//! life to the lab's, and becomes the program.

use std::{ffi::OsString, io, os::unix::process::CommandExt, process::Command};

use clap::Args;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// The options.
#[derive(Args, Debug)]
pub struct ExecArgs {
    /// The user and group to become.
    #[arg(long)]
    user: Option<u32>,
    /// The process whose end is this one's too.
    #[arg(long)]
    parent: i32,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl ExecArgs {
    /// Becomes the program.
    ///
    /// # Errors
    /// Whenever it returns: why it could not.
    pub fn execute(&self) -> io::Error {
        let mut words = self.command.iter();
        let program = words.next().cloned().unwrap_or_default();
        let Some(user) = self.user else {
            // A process that changes its user loses this tie, so it is made in a second step.
            if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
                return error.into();
            }
            if getppid() != Pid::from_raw(self.parent) {
                return io::Error::other("the lab is gone");
            }
            return Command::new(program).args(words).exec();
        };
        let this = match std::env::current_exe() {
            Ok(this) => this,
            Err(error) => return error,
        };
        Command::new(this)
            .args(["lab-exec", "--parent", &self.parent.to_string(), "--"])
            .args(&self.command)
            .uid(user)
            .gid(user)
            .exec()
    }
}
