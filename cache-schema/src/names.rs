//! What names look like.

/// Kebab-case: `plio`, `organization-user`, `item2`.
pub(crate) fn is_model_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('-').all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// An SQL identifier that means the same in every database, quoted or not.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A table's name, with or without its SQL schema: `plio`, `public.plio`.
pub(crate) fn is_table(name: &str) -> bool {
    name.split('.').count() <= 2 && name.split('.').all(is_identifier)
}

/// The name as an SQL identifier: `organization-user` → `organization_user`.
pub(crate) fn snake(model: &str) -> String {
    model.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_are_kebab_case() {
        for good in ["plio", "organization-user", "a", "item2", "a-2"] {
            assert!(is_model_name(good), "{good}");
        }
        for bad in ["", "Plio", "-a", "a-", "a--b", "2a", "a_b", "é", "a b", "a.b"] {
            assert!(!is_model_name(bad), "{bad}");
        }
    }

    #[test]
    fn tables_may_name_their_sql_schema() {
        assert!(is_table("plio") && is_table("public.plio") && is_table("_Plio2"));
        for bad in ["", ".", "a.", "a.b.c", "a-b", "2a", "a\"b"] {
            assert!(!is_table(bad), "{bad}");
        }
    }
}
