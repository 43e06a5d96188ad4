//! Lists of words: a field whose value is one of a few spellings, as a type.

/// Makes an enum of words: `Variant = "spelling"`, each with its documentation.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $spelling:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word as the format spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $spelling,)+
                }
            }

            /// Writes the word into the canonical encoding: its place in [`Self::ALL`], one byte.
            pub(crate) fn write(self, writer: &mut $crate::codec::Writer) {
                writer.u8(self as u8);
            }

            /// Reads what [`Self::write`] writes.
            pub(crate) fn read(
                reader: &mut $crate::codec::Reader<'_>,
                field: &'static str,
            ) -> Result<Self, $crate::codec::Malformed> {
                let place = usize::from(reader.u8(field)?);
                Self::ALL.get(place).copied().ok_or($crate::codec::Malformed { field })
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;
