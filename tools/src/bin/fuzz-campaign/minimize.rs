//! `fuzz-campaign minimize`: one input, as small as it gets with the same class.

use std::{fs, path::PathBuf, time::Duration};

use clap::Args;
use fuzz::corpus;

use crate::{
    Verdict,
    build::{self, Prerequisites, Sanitizer},
    cli::{self, EXIT_CODES},
    error::Error,
    judge::{self, Judge},
    libfuzzer,
    shrink::{self, Shown, Witness},
    stop::Stop,
    targets::Workspace,
};

const EXAMPLES: &str = "\
Examples:
  fuzz-campaign minimize --target linux_specification crash-0a1b
                                                    writes crash-0a1b.min
  fuzz-campaign minimize --target linux_specification crash-0a1b --out \\
      fuzz/regressions/linux_specification/short-node
                                                    kept from now on: `replay` and `cargo test` judge it

The class stays: an input that shows another defect is no smaller form of this one. What the oracle in this program does not show
is minimised with the fuzzer's binary, which is then built.";

/// The options of `minimize`.
#[derive(Args, Clone, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct MinimizeArgs {
    /// The target that the input is for.
    #[arg(long, value_name = "NAME")]
    pub target: String,
    /// The input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where to write the result [default: FILE.min].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Time at most.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = cli::duration)]
    pub time: Duration,
    /// With what the fuzzer's binary is built, if it is needed.
    #[arg(long, value_enum, default_value_t)]
    pub sanitizer: Sanitizer,
}

/// Minimises.
///
/// # Errors
/// What the user can put right, such as an input that shows nothing.
pub fn execute(arguments: &MinimizeArgs, workspace: &Workspace, stop: &Stop) -> Result<Verdict, Error> {
    let targets = workspace.select(std::slice::from_ref(&arguments.target))?;
    let input = corpus::file(&arguments.file).map_err(|error| Error::Usage(error.to_string()))?;
    let name = &arguments.target;
    let linked = judge::linked(name);
    let scratch = tempfile::Builder::new().prefix("fuzz-campaign-").tempdir();
    let scratch = scratch.map_err(|source| Error::System { action: "create a temporary folder".to_owned(), source })?;
    let candidate = scratch.path().join("candidate");
    let shown = match linked {
        Some(linked) => Witness::Linked(Judge::new(linked)).judge(&input, stop)?.map(|judged| judged.class),
        None => None,
    };
    let (class, binary) = if let Some(class) = shown {
        (class, None)
    } else {
        let folder = build::folder(workspace, arguments.sanitizer);
        let built = Prerequisites::find(arguments.sanitizer)?.build(workspace, &targets, &folder, stop)?;
        let binary = built.get(name).cloned();
        let class = match &binary {
            Some(binary) => libfuzzer::once(binary, &arguments.file, true, stop)?.map(|found| found.class),
            None => None,
        };
        let file = arguments.file.display();
        let remedy = "it may belong to another --target, or to a revision before a defect was mended";
        (class.ok_or_else(|| Error::Usage(format!("{file} shows nothing in {name}; {remedy}")))?, binary)
    };
    let smallest = shrink::smallest(name, &class, &input, binary.as_deref(), &candidate, arguments.time, stop)?;
    let out = arguments.out.clone().unwrap_or_else(|| {
        let mut name = arguments.file.clone().into_os_string();
        name.push(".min");
        name.into()
    });
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    }
    fs::write(&out, &smallest.input).map_err(Error::file("write", &out))?;
    let by = match smallest.shown {
        Shown::Replay => "`fuzz-campaign replay` shows it again",
        Shown::Binary => "only the fuzzer's binary shows it",
        Shown::Never => "it was not shown a second time, so it is as it was",
    };
    cli::print(&format!("{class}\n{} bytes of {} in {}; {by}.\n", smallest.input.len(), input.len(), out.display()))?;
    Ok(Verdict::Findings)
}
