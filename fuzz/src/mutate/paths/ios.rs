//! FORMATS §4: files of the container, photos.

use super::{Group, list, long, wide};

/// Good paths, plain.
pub(super) fn good() -> Vec<Group> {
    let uuid = "B84E8479-475C-4727-A4A4-B77AA9980897";
    vec![
        list(
            "file:Documents/Reports/q2.pdf ¦ file:Library/a ¦ file:Documents/a ¦ file:Library/Caches2 ¦ \
             file:Library/caches ¦ file:Library/CachesX/a ¦ file:Library/a/Caches ¦ file:Documents/Caches/a ¦ \
             file:Documents/Library/Caches ¦ file:Documents/... ¦ file:Documents/a:b ¦ \
             file:Documents/caf\u{e9}\u{301} ¦ file:Documents/a\\b ¦ file:Documents/\u{FEFF} ¦ \
             file:Documents/%2e%2e ¦ file:Documents/a\"b ¦ file:Library/Cache ¦ file:Library/Cachesa ¦ \
             file:Library/ Caches ¦ file:Library/Caches  ¦ file:Documents/\u{85}",
        ),
        vec![
            format!("photo:{uuid}/L0/001").into_bytes(),
            format!("photo:{uuid}/L0/000").into_bytes(),
            format!("photo:{uuid}/L0/999").into_bytes(),
            b"photo:00000000-0000-0000-0000-000000000000/L0/123".to_vec(),
        ],
        wide("file:Documents/", &[1, 254, 255]),
        vec![
            long("file:Documents/", "/", "y", 1023),
            long("file:Library/", "/", "y", 1022),
            long("file:Documents/", "/", "\u{e9}", 1023),
        ],
    ]
}

/// Near misses, plain.
pub(super) fn near() -> Vec<Group> {
    let uuid = "B84E8479-475C-4727-A4A4-B77AA9980897";
    let photo = |text: &str| text.replace('U', uuid).into_bytes();
    vec![
        list(
            "file:Documents ¦ file:Documents/ ¦ file:Library ¦ file:Library/ ¦ file:Library/Caches ¦ \
             file:Library/Caches/a ¦ file:Library/Caches/ ¦ file:Library//Caches ¦ file:documents/a ¦ \
             file:DOCUMENTS/a ¦ File:Documents/a ¦ file:/Documents/a ¦ file://Documents/a ¦ file:tmp/a ¦ \
             file:Documentsx/a ¦ file:Documents\\a ¦ Documents/a ¦ file: ¦ file:Documents//a ¦ \
             file:Documents/a/ ¦ file:Documents/a\u{1} ¦ file:Documents/\u{7f} ¦ file:Documents/a\0 ¦ \
             file:Documents/../Library/Caches ¦ file:Library/./Caches ¦ file:Library/../Documents/a ¦ \
             file: Documents/a ¦ file:Librar/a ¦ file:Library/Caches/a/b/c ¦ file:Document/a ¦ \
             file:Documents/a\nb ¦ files:Documents/a ¦ file:/var/mobile/a",
        ),
        [
            "photo:U/L0/01",
            "photo:U/L0/0001",
            "photo:U/L1/001",
            "photo:U/l0/001",
            "photo:U/L0/00a",
            "photo:U/L0/",
            "photo:U",
            "photo:U/L0/001/",
            "Photo:U/L0/001",
            "photo:U/L0/\u{ff11}23",
            "photo:/U/L0/001",
            "photo:U//L0/001",
            "photo:U/L0/001 ",
            "photo:U/L00/001",
            "photo:U/L0 /001",
        ]
        .map(photo)
        .to_vec(),
        vec![
            format!("photo:{}/L0/001", uuid.to_lowercase()).into_bytes(),
            format!("photo:{}/L0/001", &uuid[1..]).into_bytes(),
            format!("photo:{}/L0/001", uuid.replace('B', "G")).into_bytes(),
            format!("photo:{}/L0/001", uuid.replace('-', "")).into_bytes(),
            format!("photo:{}A/L0/001", uuid).into_bytes(),
            b"photo:B84E847-9475C-4727-A4A4-B77AA9980897/L0/001".to_vec(),
            b"photo:../L0/001".to_vec(),
        ],
        wide("file:Documents/", &[256, 257, 511]),
        vec![
            long("file:Documents/", "/", "y", 1024),
            long("file:Documents/", "/", "y", 1025),
            long("file:Documents/", "/", "\u{e9}", 1024),
        ],
    ]
}
