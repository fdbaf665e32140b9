//! Payments, shops, banks and exchanges.

use super::super::rule::{Rule, assigned, near, token};
use super::super::shape::{Set, UUID, of, starting};

pub(super) const RULES: &[Rule] = &[
    // https://docs.stripe.com/keys
    token(
        "stripe-access-token",
        &["sk_test_", "sk_live_", "sk_prod_", "rk_test_", "rk_live_", "rk_prod_"],
        r"[sr]k_(?:test|live|prod)_[0-9A-Za-z]{10,}",
    )
    .entropy(2.0),
    token("stripe-webhook-secret", &["whsec_"], r"whsec_[0-9A-Za-z+/=]{24,}").entropy(3.0),
    // https://developer.squareup.com/docs/build-basics/access-tokens
    token("square-access-token", &["sq0atp-", "sq0csp-"], r"sq0(?:atp|csp)-[0-9A-Za-z_-]{22,43}").entropy(2.0),
    token("square-access-token", &["eaaa"], r"EAAA[0-9A-Za-z_+/-]{56,60}").entropy(3.5),
    token("shopify-access-token", &["shpat_"], r"shpat_[0-9a-fA-F]{32}").entropy(2.0),
    token("shopify-custom-access-token", &["shpca_"], r"shpca_[0-9a-fA-F]{32}").entropy(2.0),
    token("shopify-private-app-access-token", &["shppa_"], r"shppa_[0-9a-fA-F]{32}").entropy(2.0),
    token("shopify-shared-secret", &["shpss_"], r"shpss_[0-9a-fA-F]{32}").entropy(2.0),
    token("shippo-api-token", &["shippo_live_", "shippo_test_"], r"shippo_(?:live|test)_[0-9a-fA-F]{40}").entropy(2.0),
    token("easypost-api-token", &["ezak"], r"EZAK[0-9A-Za-z]{54}").entropy(2.0),
    token("easypost-test-api-token", &["eztk"], r"EZTK[0-9A-Za-z]{54}").entropy(2.0),
    token("duffel-api-token", &["duffel_test_", "duffel_live_"], r"duffel_(?:test|live)_[0-9A-Za-z_=-]{43}")
        .entropy(2.0),
    token("flutterwave-public-key", &["flwpubk_test-"], r"FLWPUBK_TEST-[0-9A-Ha-h]{32}-X").entropy(2.0),
    token("flutterwave-secret-key", &["flwseck_test-"], r"FLWSECK_TEST-[0-9A-Ha-h]{32}-X").entropy(2.0),
    token("flutterwave-encryption-key", &["flwseck_test-"], r"FLWSECK_TEST-[0-9A-Ha-h]{12}").entropy(2.0),
    near("freemius-secret-key", &["secret_key"], 0, 80, r#"^secret_key["']\s*=>\s*["'](sk_\S{29})["']"#),
    assigned("finicity-api-token", &["finicity"], of(Set::Hex, 32, 32)),
    assigned("finicity-client-secret", &["finicity"], of(Set::Alnum, 20, 20)),
    assigned("finnhub-access-token", &["finnhub"], of(Set::Alnum, 20, 20)),
    assigned("freshbooks-access-token", &["freshbooks"], of(Set::Alnum, 64, 64)),
    assigned("gocardless-api-token", &["gocardless"], starting("live_", Set::WordEq, 45, 45)),
    near(
        "plaid-api-token",
        &["access-sandbox-", "access-development-", "access-production-"],
        0,
        80,
        r"^access-(?:sandbox|development|production)-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    ),
    assigned("plaid-client-id", &["plaid"], of(Set::Alnum, 24, 24)).entropy(3.0),
    assigned("plaid-secret-key", &["plaid"], of(Set::Alnum, 30, 30)).entropy(3.0),
    assigned("bittrex-access-key", &["bittrex"], of(Set::Alnum, 32, 32)),
    assigned("coinbase-access-token", &["coinbase"], of(Set::WordEq, 64, 64)),
    assigned("kraken-access-token", &["kraken"], of(Set::Base64, 80, 90)),
    assigned("kucoin-access-token", &["kucoin"], of(Set::Hex, 24, 24)),
    assigned("kucoin-secret-key", &["kucoin"], UUID),
    near(
        "lob-api-key",
        &["lob"],
        0,
        120,
        r#"^(?i:lob)[0-9A-Za-z_.-]{0,30}[\s\\"'`=:>?,.()a-z]{0,24}?[\s\\"'`=:>,(]((?:live|test)_(?:pub_[0-9a-f]{31}|[0-9a-f]{35}))\b"#,
    ),
    assigned("squarespace-access-token", &["squarespace"], UUID),
    assigned("etsy-access-token", &["etsy"], of(Set::Alnum, 24, 24)).entropy(3.0),
    token(
        "braintree-access-token",
        &["access_token$production$", "access_token$sandbox$"],
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
];
