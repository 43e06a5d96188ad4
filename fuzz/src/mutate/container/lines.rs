//! Linux: lines and their ends.

use fastrand::Rng;

use super::{one_of, put, replace};

/// One change of a written body.
pub(super) fn change(body: &mut Vec<u8>, chance: &mut Rng) {
    let ends: Vec<usize> = body.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let end = chance.choice(&ends).copied().unwrap_or(body.len());
    match chance.u8(..10) {
        0 => put(body, end, 0, b"\r"),
        1 => put(body, end, 1, one_of(&[b"\n\n", b"\r", b"", b"\n \n", b"\\n", b"\x0b", b" \n"], chance)),
        2 => replace(
            body,
            &[
                (b"EDGE-AGENT/1 ", b"EDGE-AGENT/1"),
                (b"EDGE-AGENT/1 ", b"EDGE-AGENT/1  "),
                (b"EDGE-AGENT/1", b"EDGE-AGENT/2"),
                (b"EDGE-AGENT/1", b"edge-agent/1"),
                (b"EDGE-AGENT/1", b"EDGE-AGENT/01"),
                (b"EDGE-AGENT/1", b"EDGE-AGENT/1.0"),
                (b"EDGE-AGENT/1 ", b"EDGE-AGENT/1\t"),
            ],
            chance,
        ),
        3 => replace(
            body,
            &[
                (b"\nEND\n", b"\nEND"),
                (b"\nEND\n", b"\n"),
                (b"\nEND\n", b"\nEND\nEND\n"),
                (b"\nEND\n", b"\nend\n"),
                (b"\nEND\n", b"\nEND \n"),
                (b"\nEND\n", b"\nEND=\n"),
                (b"\nEND\n", b"\nENDX\n"),
                (b"\nEND\n", b"END\n"),
                (b"\nEND\n", b"\n\nEND\n"),
                (b"\nEND\n", b"\nEND\n\n"),
            ],
            chance,
        ),
        4 => replace(
            body,
            &[(b"=", b" = "), (b"=", b""), (b"=", b"=="), (b"=", b":"), (b"_", b"-"), (b"=", b" ="), (b"=", b"= ")],
            chance,
        ),
        5 => put(
            body,
            end + 1,
            0,
            one_of(
                &[
                    b"END\n",
                    b"# x\n",
                    b"\n",
                    b"X=\n",
                    b"A=1\n",
                    b"ABCDEFGHIJKLMNOPQ=1\n",
                    b"AB=\n",
                    b"=1\n",
                    b"A1=2\n",
                    b"ABCDEFGHIJKLMNOP=1\n",
                    b"ab=1\n",
                    b"\t",
                ],
                chance,
            ),
        ),
        6 => put(body, end, 0, one_of(&[b" ", b"\t", b"\x7f", b"\x80", b"\0", b"\xC3\xA9", b"\x0c"], chance)),
        7 => {
            // Upper case, digits, and 16 and 17 letters in the first line.
            let word = one_of(
                &[
                    b"PING",
                    b"ping1",
                    b"abcdefghijklmnop",
                    b"abcdefghijklmnopq",
                    b"",
                    b"p ing",
                    b"Ping",
                    b"delete",
                    b"ping ",
                ],
                chance,
            );
            let line = ends.first().copied().unwrap_or(body.len());
            let start = 13.min(line);
            put(body, start, line - start, word);
        }
        8 => put(body, end + 1, 1, &[body.get(end + 1).copied().unwrap_or_default() ^ 0x20]),
        _ => put(body, end + 1, 1, b""),
    }
}
