//! What the real programs say of what is written for them: nft, iptables-restore, ip6tables-restore, terraform, ufw, firewalld.
//!
//! `cargo test -p tools --test firewall_rules -- --ignored parsers` needs nft, iptables and unshare (util-linux), and root or user
//! namespaces: every rule set is loaded in a network namespace of its own. terraform, ufw and firewall-offline-cmd take part if
//! they are installed, and the test says so if they are not. `terraform validate` needs the providers' plugins: it runs where
//! SALLYPORT_TERRAFORM_PROVIDERS names a folder of them (a filesystem mirror); elsewhere `terraform fmt` reads the HCL, and
//! the arguments' names are compared with those that the providers publish.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::kit::{SCENARIOS, WHOLE, folder, run_with, written};

/// Runs a command with a text on its standard input; returns what it printed.
fn take(program: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; this test needs it installed"));
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}\n{input}");
    String::from_utf8(output.stdout).unwrap()
}

/// The same with a shell script, in a network namespace of its own.
fn apart(script: &str, input: &str) -> String {
    let root = rustix::process::geteuid().is_root();
    let option = if root { "--net" } else { "--map-root-user" };
    take("unshare", &[option, "--net", "sh", "-euc", script], input)
}

/// Whether a program is installed; says so if it is not.
fn installed(program: &str) -> bool {
    let folders = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = folders.split(':').any(|folder| Path::new(folder).join(program).is_file());
    if !found {
        eprintln!("{program} is not installed: not checked with it");
    }
    found
}

#[test]
#[ignore = "needs nft, and root or user namespaces"]
fn nft_takes_every_file_and_saves_what_diff_finds_right() {
    for (name, scenario) in SCENARIOS {
        let made = tempfile::tempdir().unwrap();
        for path in written(scenario, "nftables", made.path()) {
            let text = fs::read_to_string(&path).unwrap();
            apart("nft -c -f -", &text);
            // A second time over the first: the file replaces itself.
            let file = path.display();
            let saved = apart(&format!("nft -f {file}; nft -f {file}; nft -j list ruleset"), "");
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let place = stem.replacen("edge-host-", "edge-host=", 1);
            let outcome = run_with(&[&["diff", "-", "--place", &place], scenario].concat(), &saved);
            assert_eq!(outcome.code, 0, "{name}, {place}: {}{}", outcome.stdout, outcome.stderr);
            if name == "whole" {
                keep(&format!("{stem}.json"), &saved);
            }
        }
    }
}

/// With UPDATE_SNAPSHOTS the rule sets that `diffs` works on are made anew.
fn keep(name: &str, saved: &str) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(folder().join("saved").join(name), format!("{}\n", saved.trim_end())).unwrap();
    }
}

#[test]
#[ignore = "needs nft, iptables, and root or user namespaces"]
fn rule_sets_that_grew_by_hand_load() {
    for name in ["grown", "tangled", "two-tables"] {
        let text = fs::read_to_string(folder().join(format!("saved/{name}.nft"))).unwrap();
        keep(&format!("{name}.json"), &apart("nft -f -; nft -j list ruleset", &text));
    }
    let made = tempfile::tempdir().unwrap();
    let files = written(WHOLE, "iptables", made.path());
    let first = files.iter().find(|path| path.ends_with("firewall-1.v4")).unwrap();
    let saved = apart("iptables-nft-restore --noflush; nft -j list ruleset", &fs::read_to_string(first).unwrap());
    keep("iptables.json", &saved);
}

#[test]
#[ignore = "needs iptables, and root or user namespaces"]
fn iptables_restore_takes_every_file() {
    for (_, scenario) in SCENARIOS {
        let made = tempfile::tempdir().unwrap();
        for path in written(scenario, "iptables", made.path()) {
            let program = if path.extension().unwrap() == "v4" { "iptables" } else { "ip6tables" };
            let text = fs::read_to_string(&path).unwrap();
            apart(&format!("{program}-restore --test --noflush"), &text);
            let listed = apart(&format!("{program}-restore --noflush; {program}-save"), &text);
            let count = |text: &str| text.lines().filter(|line| line.starts_with("-A ")).count();
            assert_eq!(count(&listed), count(&text), "{}: every line is a rule", path.display());
        }
    }
}

#[test]
#[ignore = "takes terraform, ufw, firewalld and pwsh if they are installed"]
fn other_programs_take_what_is_theirs() {
    for (_, scenario) in SCENARIOS {
        let made = tempfile::tempdir().unwrap();
        for format in ["ufw", "firewalld"] {
            for path in written(scenario, format, made.path()) {
                take("sh", &["-n", path.to_str().unwrap()], "");
                if format == "ufw" && installed("ufw") {
                    let script = fs::read_to_string(&path).unwrap().replace("\nufw ", "\nufw --dry-run ");
                    apart("sh -eu >/dev/null", &script);
                }
                if format == "firewalld" && installed("firewall-offline-cmd") {
                    firewalld(&path, made.path());
                }
            }
        }
        for path in written(scenario, "windows", made.path()) {
            if installed("pwsh") {
                let parse = "$e = $null; [void][Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$e); exit $e.Count";
                take("pwsh", &["-NoProfile", "-Command", parse, path.to_str().unwrap()], "");
            }
        }
        for format in ["aws-terraform", "azure-terraform"] {
            let folder = made.path().join(format);
            written(scenario, format, &folder);
            if installed("terraform") {
                terraform(folder.to_str().unwrap());
            }
        }
    }
}

/// In a configuration folder of its own; the daemon and the kernel are not asked.
fn firewalld(script: &Path, made: &Path) {
    let system = made.join("firewalld");
    for folder in ["zones", "policies"] {
        fs::create_dir_all(system.join(folder)).unwrap();
    }
    let command = format!(
        "FIREWALL_CMD='firewall-offline-cmd --system-config={0}' sh -eu {1}",
        system.display(),
        script.display()
    );
    apart(&command, "");
    apart(&format!("firewall-offline-cmd --system-config={} --check-config", system.display()), "");
}

fn terraform(folder: &str) {
    let chdir = format!("-chdir={folder}");
    take("terraform", &[&chdir, "fmt", "-check", "-diff"], "");
    match std::env::var("SALLYPORT_TERRAFORM_PROVIDERS") {
        Ok(providers) => {
            take("terraform", &[&chdir, "init", "-backend=false", &format!("-plugin-dir={providers}")], "");
            take("terraform", &[&chdir, "validate"], "");
        }
        Err(_) => eprintln!("SALLYPORT_TERRAFORM_PROVIDERS is not set: `terraform fmt` only, no `terraform validate`"),
    }
}

/// The arguments of each block that is used, as the providers' documentation has them.
const PUBLISHED: [(&str, &[&str]); 6] = [
    ("resource \"aws_security_group\"", &["name", "description", "vpc_id", "tags", "revoke_rules_on_delete"]),
    (
        "resource \"aws_vpc_security_group_ingress_rule\"",
        &["security_group_id", "description", "cidr_ipv4", "cidr_ipv6", "ip_protocol", "from_port", "to_port", "tags"],
    ),
    (
        "resource \"aws_vpc_security_group_egress_rule\"",
        &["security_group_id", "description", "cidr_ipv4", "cidr_ipv6", "ip_protocol", "from_port", "to_port", "tags"],
    ),
    ("resource \"azurerm_network_security_group\"", &["name", "location", "resource_group_name", "tags"]),
    (
        "security_rule",
        &[
            "name",
            "description",
            "priority",
            "direction",
            "access",
            "protocol",
            "source_address_prefix",
            "source_port_range",
            "destination_address_prefix",
            "destination_port_range",
        ],
    ),
    ("variable", &["description", "type", "default"]),
];

#[test]
fn terraform_blocks_have_the_published_arguments_and_no_others() {
    for (name, scenario) in SCENARIOS {
        let made = tempfile::tempdir().unwrap();
        for format in ["aws-terraform", "azure-terraform"] {
            for path in written(scenario, format, made.path()) {
                let mut stack: Vec<String> = Vec::new();
                let mut names = std::collections::BTreeSet::new();
                for line in fs::read_to_string(&path).unwrap().lines().map(str::trim) {
                    if let Some(opening) = line.strip_suffix(" {") {
                        if opening.starts_with("resource") {
                            assert!(names.insert(opening.to_owned()), "{name}: {opening} twice");
                        }
                        stack.push(opening.to_owned());
                    } else if line == "}" {
                        stack.pop().unwrap();
                    } else if let Some((argument, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
                        let block = stack.last().unwrap();
                        let known = PUBLISHED.iter().find(|(known, _)| block.starts_with(known));
                        let fits = known.is_some_and(|(_, arguments)| arguments.contains(&argument.trim()));
                        assert!(fits || stack[0] == "terraform", "{name}: {block}: {argument}");
                    }
                }
                assert!(stack.is_empty(), "{name}: every block is closed");
            }
        }
    }
}
