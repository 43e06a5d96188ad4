//! FORMATS §1: drives and shares, with and without the prefix.

use super::{Group, list, long, reserved, texts};

/// Good paths, plain.
pub(super) fn good() -> Vec<Group> {
    let x = |count: usize| "x".repeat(count);
    vec![
        list(
            "C:\\ ¦ z:\\ ¦ A:\\a ¦ a:\\a ¦ Z:\\b ¦ C:\\Users\\Ana\\Documents ¦ \\\\server\\share ¦ \\\\s\\h\\ ¦ \
             \\\\s\\h\\a.b ¦ \\\\?\\C:\\ ¦ \\\\?\\z:\\a ¦ \\\\?\\UNC\\s\\h ¦ \\\\?\\UNC\\s\\h\\ ¦ \
             \\\\?\\UNC\\nas01\\home$\\ana\\Gr\u{f6}\u{df}e ¦ \\\\_-9\\h ¦ \\\\0.a_b-c.\\h",
        ),
        list(
            "\\\\?\\C:\\CON ¦ \\\\?\\C:\\CON.txt ¦ \\\\?\\C:\\aux.c ¦ \\\\?\\C:\\a  ¦ \\\\?\\C:\\a. ¦ \
             \\\\?\\C:\\... ¦ \\\\?\\C:\\  ¦ \\\\?\\UNC\\s\\NUL\\nul ¦ C:\\CONX ¦ C:\\xCON ¦ C:\\COM0 ¦ \
             C:\\COM10 ¦ C:\\LPT0.a ¦ C:\\COM ¦ C:\\NULL ¦ C:\\PRN1 ¦ C:\\aCON.txt ¦ C:\\ CON ¦ C:\\.CON ¦ \
             C:\\COM\u{2074} ¦ C:\\LPT\u{b9}0 ¦ C:\\con_ ¦ C:\\a b ¦ C:\\ a ¦ C:\\.a ¦ C:\\..a ¦ C:\\a.b.c ¦ \
             C:\\\u{1F600} ¦ C:\\a\u{7f} ¦ C:\\\u{85} ¦ C:\\a\u{FEFF} ¦ C:\\a%b&c;d ¦ C:\\CON1 ¦ C:\\CONIN$ ¦ \
             C:\\COM1x",
        ),
        vec![
            format!("C:\\{}", x(255)).into_bytes(),
            format!("C:\\{}", x(254)).into_bytes(),
            long("C:\\", "\\", "y", 259),
            long("C:\\", "\\", "y", 258),
            long("\\\\?\\C:\\", "\\", "y", 1024),
            long("\\\\?\\C:\\", "\\", "y", 1023),
            long("\\\\?\\C:\\", "\\", "y", 260),
            long("\\\\?\\UNC\\s\\h\\", "\\", "y", 1024),
            long("C:\\", "\\", "\u{20ac}", 259),
            format!("C:\\{}x", "\u{1F600}".repeat(127)).into_bytes(),
            format!("\\\\{}\\h", x(63)).into_bytes(),
            format!("\\\\s\\{}", x(80)).into_bytes(),
            format!("\\\\?\\UNC\\{}\\{}\\a", x(63), x(80)).into_bytes(),
            long("\\\\s\\h\\", "\\", "y", 259),
            format!("\\\\s\\{}", "\u{1F600}".repeat(40)).into_bytes(),
            format!("\\\\{}\\{}\\", x(63), x(80)).into_bytes(),
        ],
    ]
}

/// Near misses, plain.
pub(super) fn near() -> Vec<Group> {
    let x = |count: usize| "x".repeat(count);
    let forms = texts(
        "C:\\{} ¦ C:\\{}.txt ¦ C:\\a\\{}\\b ¦ C:\\{} .x ¦ \\\\s\\{} ¦ \\\\s\\h\\{} ¦ C:\\{}.a.b ¦ C:\\{}  . ¦ C:\\{}..x ¦ \
         C:\\{}. ¦ \\\\s\\h\\{} \\a ¦ C:\\{}  .x.y",
    );
    let reserved = reserved(forms);
    let mut characters = Group::new();
    for odd in ["<", ">", ":", "\"", "/", "?", "*", "|", "\\", "\0", "\u{1}", "\u{1f}", "\t", " ", ".", "\u{7f}"] {
        for form in [
            "C:\\a{}",
            "C:\\{}a",
            "C:\\a{}b\\c",
            "\\\\s\\h{}x",
            "\\\\s{}x\\h",
            "\\\\?\\C:\\a{}",
            "\\\\?\\C:\\a{}\\b",
            "\\\\s\\h\\a{}",
            "\\\\?\\UNC\\s\\h{}",
        ] {
            characters.push(form.replace("{}", odd).into_bytes());
        }
    }
    vec![
        list(
            "C: ¦ C:a ¦ c:/ ¦ C:\\\\ ¦ C:\\a\\ ¦ C:\\a\\\\b ¦ 1:\\ ¦ \u{e9}:\\ ¦ CC:\\ ¦ @:\\ ¦ [:\\ ¦ `:\\a ¦ \
             {:\\ ¦ \\ ¦ \\\\ ¦ \\\\s ¦ \\\\s\\ ¦ \\\\s\\\\h ¦ \\\\s\\h\\\\ ¦ \\\\s\\h\\a\\ ¦ \\\\.\\C:\\ ¦ \
             \\\\.\\pipe\\a ¦ \\\\?\\ ¦ \\\\?\\C: ¦ \\\\?\\C:a ¦ \\\\?\\unc\\s\\h ¦ \\\\?\\Unc\\s\\h ¦ \
             \\\\?\\UNC\\ ¦ \\\\?\\UNC\\s ¦ \\\\?\\UNC\\s\\ ¦ \\\\?\\UNCs\\h ¦ \
             \\\\?\\Volume{b75e2c83-0000-0000-0000-602f00000000}\\ ¦ \\??\\C:\\ ¦ \\\\?\\\\C:\\ ¦ \
             \\\\?\\C:\\\\a ¦ \\\\?\\C:\\a\\ ¦ //s/h ¦ //?/C:/ ¦ \\\\?/C:\\ ¦ /C:\\ ¦ \\C:\\ ¦ \
             \\\\?\\GLOBALROOT\\a ¦ \\\\?\\UNC\\s\\h\\\\ ¦ \\\\?\\UNC\\s\\h\\a\\ ¦ \\\\?\\C:\\. ¦ \
             \\\\?\\C:\\.. ¦ \\\\?\\C:\\a\\..\\b ¦ \\\\?\\C:\\a\\.\\b ¦ \\\\?\\UNC\\s\\..\\a ¦ \
             \\\\?\\UNC\\..\\h ¦ \\\\s\\..\\a ¦ \\\\..\\h ¦ \\\\.\\h ¦ \\\\s\\. ¦ \\\\?\\UNC\\s\\h\\.. ¦ \
             \\\\?\\UNC\\s\\h\\a\\. ¦ \\\\?\\C:\\a/b ¦ \\\\?\\1:\\ ¦  C:\\ ¦ C:\\ \\a ¦ C:\\a \\b ¦ C:\\a.\\b ¦ \
             C:\\a . ¦ file:///C:/ ¦ \\\\-s\\h ¦ \\\\.s\\h ¦ \\\\s h\\h ¦ \\\\s\u{e9}\\h ¦ UNC\\s\\h ¦ \
             \\\\?\\UNC\\.s\\h ¦ \\\\?\\UNC\\?\\C:\\ ¦ \\\\s:1\\h ¦ \\\\s@SSL\\h ¦ \\\\?\\C:\\a:b ¦ C:\\a:b ¦ \
             C:\\a::$DATA ¦ \\\\?\\A ¦ AB",
        ),
        reserved,
        characters,
        vec![
            format!("C:\\{}", x(256)).into_bytes(),
            long("C:\\", "\\", "y", 260),
            long("C:\\", "\\", "y", 261),
            long("\\\\?\\C:\\", "\\", "y", 1025),
            long("\\\\?\\UNC\\s\\h\\", "\\", "y", 1025),
            long("C:\\", "\\", "\u{20ac}", 260),
            format!("C:\\{}", "\u{1F600}".repeat(128)).into_bytes(),
            format!("\\\\{}\\h", x(64)).into_bytes(),
            format!("\\\\s\\{}", x(81)).into_bytes(),
            format!("\\\\?\\UNC\\{}\\h", x(64)).into_bytes(),
            format!("\\\\?\\UNC\\s\\{}", x(81)).into_bytes(),
            long("\\\\s\\h\\", "\\", "y", 260),
            format!("\\\\s\\{}x", "\u{1F600}".repeat(40)).into_bytes(),
            format!("\\\\?\\C:\\{}", x(256)).into_bytes(),
            format!("\\\\?\\C:\\{}", "\u{1F600}".repeat(128)).into_bytes(),
            format!("\\\\?\\C:\\{}\\a", x(511)).into_bytes(),
        ],
    ]
}
