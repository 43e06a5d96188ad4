//! `fuzz-campaign seeds`: what a fuzzer begins with, as files; and the committed packs, written anew.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use fuzz::corpus;

use crate::{
    Verdict,
    build::{self, Prerequisites, Sanitizer},
    cli::{self, EXIT_CODES},
    error::Error,
    replay::kept,
    report::text,
    stop::Stop,
    targets::Workspace,
};

mod pack;

const EXAMPLES: &str = "\
Examples:
  fuzz-campaign seeds                               into fuzz/corpus/TARGET, where `cargo fuzz run TARGET` begins
  fuzz-campaign seeds --pack --corpus night/corpus  the committed packs again, with what a campaign found

A pack (fuzz/corpus/TARGET.pack) holds what adds coverage to the seeds: of the pack before, of fuzz/corpus/TARGET and of
--corpus. The folders fuzz/corpus/TARGET are not committed.";

/// The options of `seeds`.
#[derive(Args, Clone, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct SeedsArgs {
    /// Only this target; repeat it for more [default: all of fuzz/targets.toml].
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// The folder for the folders of the targets [default: fuzz/corpus].
    #[arg(long, value_name = "DIR", conflicts_with = "pack")]
    pub out: Option<PathBuf>,
    /// Write the committed packs again; the targets are built for that.
    #[arg(long)]
    pub pack: bool,
    /// With --pack: more inputs, DIR/TARGET/*.
    #[arg(long, value_name = "DIR", requires = "pack")]
    pub corpus: Vec<PathBuf>,
    /// With --pack: kilobytes of one pack at most; what adds most coverage comes first.
    #[arg(long, value_name = "KB", default_value = "50", value_parser = cli::at_least_one, requires = "pack")]
    pub limit: u64,
}

/// Writes seeds or packs.
///
/// # Errors
/// What the user can put right.
pub fn execute(arguments: &SeedsArgs, workspace: &Workspace, stop: &Stop) -> Result<Verdict, Error> {
    if arguments.pack { pack_all(arguments, workspace, stop) } else { write_all(arguments, workspace) }
}

fn write_all(arguments: &SeedsArgs, workspace: &Workspace) -> Result<Verdict, Error> {
    for target in workspace.select(&arguments.targets)? {
        let folder = match &arguments.out {
            Some(out) => out.join(&target.name),
            None => workspace.corpus(&target.name),
        };
        let inputs = kept(workspace, target)?;
        let written = write(&folder, inputs.iter().map(|input| input.bytes.as_slice()))?;
        let written = text::count(written as u64);
        cli::print(&format!("{:<24} {written:>6} inputs in {}\n", target.name, folder.display()))?;
    }
    Ok(Verdict::Clean)
}

/// Writes inputs as files that are named after their bytes, so that a second time changes nothing; says how many there are.
pub fn write<'a>(folder: &Path, inputs: impl Iterator<Item = &'a [u8]>) -> Result<usize, Error> {
    let inputs: BTreeSet<&[u8]> = inputs.collect();
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    for input in &inputs {
        // FNV-1a with 64 bits.
        let hash = input
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let path = folder.join(format!("{hash:016x}"));
        fs::write(&path, input).map_err(Error::file("write", path))?;
    }
    Ok(inputs.len())
}

fn pack_all(arguments: &SeedsArgs, workspace: &Workspace, stop: &Stop) -> Result<Verdict, Error> {
    let targets = workspace.select(&arguments.targets)?;
    for folder in &arguments.corpus {
        if !folder.is_dir() {
            return Err(Error::Usage(format!("--corpus {}: there is no such folder", folder.display())));
        }
    }
    let folder = build::folder(workspace, Sanitizer::None);
    let binaries = Prerequisites::find(Sanitizer::None)?.build(workspace, &targets, &folder, stop)?;
    let mut total = 0;
    for target in targets {
        let name = &target.name;
        let mut more = vec![workspace.corpus(name)];
        more.extend(arguments.corpus.iter().map(|folder| folder.join(name)));
        more.retain(|folder| folder.is_dir());
        let first = kept_without_pack(workspace, name)?;
        let before = corpus::committed(&workspace.root.join("fuzz"), name);
        // A pack that cannot be read is what this command mends.
        let before = before.unwrap_or_else(|error| {
            eprintln!("{name}: {error}");
            Vec::new()
        });
        let merge = pack::Merge { binary: &binaries[name], target, first: &first, before: &before, more: &more };
        let chosen = merge.choose(arguments.limit * 1000, stop)?;
        let path = workspace.pack(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        }
        if chosen.inputs > 0 {
            fs::write(&path, &chosen.packed).map_err(Error::file("write", &path))?;
            total += chosen.packed.len();
        } else if path.exists() {
            fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
        cli::print(&format!(
            "{name:<24} {:>6} inputs of {:>6} in {:>7} bytes\n",
            text::count(chosen.inputs as u64),
            text::count(chosen.of as u64),
            text::count(chosen.packed.len() as u64)
        ))?;
    }
    cli::print(&format!("{} bytes in all.\n", text::count(total as u64)))?;
    Ok(Verdict::Clean)
}

/// Seeds and regressions: what is there without a pack.
fn kept_without_pack(workspace: &Workspace, name: &str) -> Result<Vec<Vec<u8>>, Error> {
    let linked = crate::judge::linked(name)
        .ok_or_else(|| Error::Usage(format!("{name} is not in this program; build it again (cargo build -p tools)")))?;
    let regressions =
        corpus::files(&workspace.regressions(name)).map_err(|error| Error::Usage(format!("{name}: {error}")))?;
    let mut inputs = (linked.seeds)();
    inputs.extend(regressions.into_iter().map(|input| input.bytes));
    Ok(inputs)
}
