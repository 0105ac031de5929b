//! Names of the variants of an enum, written down once.

/// Gives an enum `ALL`, `NAMES`, `name`, `from_name`, `Display` and `FromStr` out of one list of variants and names.
macro_rules! named {
    ($kind:literal: $type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            #[doc = concat!("Every ", $kind, ".")]
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[doc = concat!("The name of every ", $kind, ", in the order of `ALL`.")]
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            #[doc = concat!("The name of this ", $kind, ", one of `NAMES`.")]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            #[doc = concat!("The ", $kind, " of this name, in any case.")]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.name().eq_ignore_ascii_case(name))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::Error;

            fn from_str(name: &str) -> Result<Self, $crate::Error> {
                Self::from_name(name).ok_or_else(|| $crate::Error::UnknownName {
                    kind: $kind,
                    name: name.to_string(),
                    expected: Self::NAMES,
                })
            }
        }
    };
}

pub(crate) use named;

#[cfg(test)]
mod tests {
    use crate::{Error, Metric, Scaling};

    #[test]
    fn every_name_is_that_of_its_variant() {
        assert_eq!(Metric::NAMES, ["euclidean", "manhattan", "chebyshev"]);
        for (&metric, name) in Metric::ALL.iter().zip(Metric::NAMES) {
            assert_eq!((metric.to_string().as_str(), name.to_uppercase().parse()), (*name, Ok(metric)));
        }
        assert_eq!(Scaling::NAMES, ["l2", "none", "zscore", "minmax", "robust"]);
        for (&scaling, name) in Scaling::ALL.iter().zip(Scaling::NAMES) {
            assert_eq!((scaling.to_string().as_str(), name.to_uppercase().parse()), (*name, Ok(scaling)));
        }
    }

    #[test]
    fn unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = "cosine".parse::<Metric>().map_err(|error: Error| error.to_string());
        let expected = "there is no metric 'cosine', expected one of: euclidean, manhattan, chebyshev";
        assert_eq!(error, Err(expected.to_string()));
        assert_eq!(Scaling::from_name("l1"), None);
    }
}
