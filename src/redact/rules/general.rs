//! Secrets of no vendor: keys, tokens and passwords in common notations. They come last.

use super::super::rule::{Rule, code, near, token};
use super::super::{credentials, generic, kubernetes, pem};

pub(super) const RULES: &[Rule] = &[
    code("private-key", &pem::WORDS, pem::find),
    token("jwt", &["eyj"], r"eyJ[A-Za-z0-9_-]{14,}\.ey[A-Za-z0-9_/\\-]{14,}(?:\.[A-Za-z0-9_/\\-]{8,}={0,2})?")
        .entropy(3.0),
    // A token that was base64-encoded once more: `ZXlK` is base64 for `eyJ`.
    token("jwt-base64", &["zxlk"], r"ZXlK[A-Za-z0-9_/+-]{60,}={0,2}").entropy(3.5),
    token("age-secret-key", &["age-secret-key-1"], r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    near(
        "url-signature",
        &["sig=", "x-amz-signature=", "x-goog-signature="],
        0,
        400,
        r"^(?i:sig|x-amz-signature|x-goog-signature)=([A-Za-z0-9%+/=]{40,})",
    )
    .entropy(3.0),
    code("url-credentials", &credentials::URL_WORDS, credentials::find_in_url),
    code("authorization-header", &credentials::HEADER_WORDS, credentials::find_in_header),
    code("curl-auth-user", &credentials::CURL_WORDS, credentials::find_in_curl),
    code("kubernetes-secret-yaml", &kubernetes::WORDS, kubernetes::find),
    near(
        "nuget-config-password",
        &["password\" value=", "password\\\" value="],
        0,
        200,
        r#"^(?i:password\\*" value=\\*")([^"%\\]{8,}(?:%[^"\\]*)?)\\*""#,
    )
    .entropy(2.5),
    code("generic-api-key", &generic::WORDS, generic::find),
];
