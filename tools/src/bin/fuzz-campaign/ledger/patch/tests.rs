use super::*;

const BEFORE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

fn tree() -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("relay/wire/src")).unwrap();
    fs::write(tree.path().join("relay/wire/src/x.rs"), BEFORE).unwrap();
    tree
}

fn applied(text: &str) -> Result<String, String> {
    let tree = tree();
    Patch::parse(text)?.apply(tree.path())?;
    Ok(fs::read_to_string(tree.path().join("relay/wire/src/x.rs")).unwrap())
}

fn diff(head: &str, hunk: &str) -> String {
    format!("{head}@@ -2,3 +2,3 @@ fn somewhere()\n{hunk}")
}

const GIT: &str = "diff --git a/relay/wire/src/x.rs b/relay/wire/src/x.rs\nindex 1..2 100644\n\
                   --- a/relay/wire/src/x.rs\n+++ b/relay/wire/src/x.rs\n";
const HUNK: &str = " two\n-three\n+3\n four\n";
const AFTER: &str = "one\ntwo\n3\nfour\nfive\nsix\nseven\n";

#[test]
fn absurd_places_are_no_places() {
    for place in ["18446744073709551615,1", "18446744073709551615,0", "1,18446744073709551615", "-1,1"] {
        assert!(applied(&format!("{GIT}@@ -{place} +{place} @@\n-two\n+3\n")).is_err(), "{place}");
    }
    // Far behind the end, as a text that has become shorter.
    assert_eq!(applied(&format!("{GIT}@@ -4000000000,3 +4000000000,3 @@\n{HUNK}")).unwrap(), AFTER);
}

#[test]
fn diffs_of_every_maker_apply() {
    for head in [
        GIT,
        "--- a/relay/wire/src/x.rs\n+++ b/relay/wire/src/x.rs\n",
        "--- relay/wire/src/x.rs\t2026-01-01 00:00:00 +0000\n+++ relay/wire/src/x.rs\t2026-01-01 00:00:00 +0000\n",
        "--- /home/somebody/clean/relay/wire/src/x.rs\n+++ /home/somebody/planted/relay/wire/src/x.rs\n",
        "--- relay/wire/src/x.rs.orig\n+++ relay/wire/src/x.rs\n",
        "some words\n\n# defect: x\nOnly in a: b\ndiff -ru old/relay/wire/src/x.rs new/relay/wire/src/x.rs\n\
         --- old/relay/wire/src/x.rs\n+++ new/relay/wire/src/x.rs\n",
    ] {
        assert_eq!(applied(&diff(head, HUNK)).as_deref(), Ok(AFTER), "{head}");
    }
}

#[test]
fn a_text_that_has_moved_is_found_again() {
    let moved = diff(GIT, HUNK).replace("-2,3 +2,3", "-5,3 +5,3");
    assert_eq!(applied(&moved).as_deref(), Ok(AFTER));
    // One line of context is another now.
    let other = diff(GIT, " 2\n-three\n+3\n four\n");
    assert_eq!(applied(&other).as_deref(), Ok(AFTER));
    let no_context = format!("{GIT}@@ -3 +3 @@\n-three\n+3\n@@ -5,0 +6,1 @@\n+5.5\n");
    assert_eq!(applied(&no_context).as_deref(), Ok("one\ntwo\n3\nfour\nfive\n5.5\nsix\nseven\n"));
}

#[test]
fn what_does_not_fit_says_where() {
    let elsewhere = diff(GIT, " two\n-drei\n+3\n four\n");
    let said = applied(&elsewhere).unwrap_err();
    assert!(said.contains("relay/wire/src/x.rs") && said.contains("line 2"), "{said}");
    let said = applied(&diff(GIT, HUNK).replace("x.rs", "y.rs")).unwrap_err();
    assert!(said.contains("no file"), "{said}");
    for (text, why) in [
        ("", "no unified diff"),
        ("# defect: x\n", "no unified diff"),
        ("@@ -1 +1 @@\n-a\n+b\n", "before any file name"),
        (&diff(GIT, " two\n-three\n"), "damaged hunk"),
        (&diff(GIT, "?two\n"), "damaged hunk"),
        ("diff --git a/x b/x\nGIT binary patch\n", "binary"),
        ("--- /dev/null\n+++ b/../../etc/x\n@@ -0,0 +1 @@\n+x\n", "none of the tree's folders"),
    ] {
        let said = applied(text).unwrap_err();
        assert!(said.contains(why), "{text:?}: {said}");
    }
}

#[test]
fn files_are_made_renamed_and_removed() {
    let tree = tree();
    let path = |name: &str| tree.path().join("relay/wire/src").join(name);
    let made = "--- /dev/null\n+++ b/relay/wire/src/y.rs\n@@ -0,0 +1,2 @@\n+new\n+file\n\\ No newline at end of file\n";
    let touched = Patch::parse(made).unwrap().apply(tree.path()).unwrap();
    assert_eq!(touched, [PathBuf::from("relay/wire/src/y.rs")]);
    assert_eq!(fs::read_to_string(path("y.rs")).unwrap(), "new\nfile");
    let renamed = "diff --git a/relay/wire/src/y.rs b/relay/wire/src/z.rs\nrename from relay/wire/src/y.rs\n\
                   rename to relay/wire/src/z.rs\n";
    Patch::parse(renamed).unwrap().apply(tree.path()).unwrap();
    assert!(!path("y.rs").exists());
    let removed =
        "--- a/relay/wire/src/z.rs\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-new\n-file\n\\ No newline at end of file\n";
    Patch::parse(removed).unwrap().apply(tree.path()).unwrap();
    assert!(!path("z.rs").exists());
}

#[test]
fn a_folder_without_patches_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = Patch::list(folder.path()).unwrap_err().to_string();
    assert!(said.contains("no *.patch") && said.contains("git diff"), "{said}");
    let said = Patch::list(&folder.path().join("none")).unwrap_err().to_string();
    assert!(said.contains("fuzz/ledger"), "{said}");
}

fn committed() -> (PathBuf, Vec<(String, Patch)>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let paths = Patch::list(&root.join("fuzz/ledger")).unwrap();
    let read = |path: &PathBuf| Patch::read(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let patches = paths.iter().map(|path| (Patch::name_of(path), read(path))).collect();
    (root.to_owned(), patches)
}

#[test]
fn the_committed_defects_apply_to_this_tree() {
    let (root, patches) = committed();
    for (name, patch) in patches {
        let touched = patch.check(&root).unwrap_or_else(|why| {
            panic!("fuzz/ledger/{name}.patch {why}; plant the defect again and write it with `git diff`")
        });
        assert!(touched.iter().all(|file| file.starts_with("relay/wire/src")), "{name}: {touched:?}");
    }
}

#[test]
fn the_committed_defects_are_what_the_ledger_promises() {
    let (_, patches) = committed();
    assert_eq!(patches.len(), 24);
    let says = |(name, patch): &(String, Patch), key: &str| {
        patch.header.get(key).unwrap_or_else(|| panic!("{name}.patch has no line `# {key}: ...`")).clone()
    };
    let count = |key: &str, values: &[&str]| {
        patches.iter().filter(|patch| values.iter().any(|value| says(patch, key).contains(value))).count()
    };
    for patch in &patches {
        assert!(!says(patch, "defect").is_empty());
        let class = says(patch, "class");
        assert!(["silent-accept", "wrong-value", "wrong-code", "panic"].contains(&class.as_str()), "{class}");
    }
    assert!(count("class", &["silent-accept", "wrong-value"]) * 10 >= patches.len() * 6, "60 per cent are silent");
    assert!(count("class", &["panic"]) * 5 <= patches.len(), "20 per cent at most are panics");
    assert!(count("fields", &["2"]) * 4 >= patches.len(), "a quarter needs two fields");
    assert!(count("frames", &["2+"]) * 4 >= patches.len(), "a quarter needs two frames");
    assert!(patches.len() - count("shape", &["none"]) >= 10, "ten are copied from real bugs");
    for platform in ["windows", "macos", "linux", "ios", "android", "wp", "canonical", "frames", "session"] {
        assert!(count("platform", &[platform]) > 0, "nothing is planted in {platform}");
    }
}
