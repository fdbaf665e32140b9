//! Databases, search, analytics and maps.

use super::super::rule::{Rule, assigned, token};
use super::super::shape::{Set, of};

pub(super) const RULES: &[Rule] = &[
    assigned("algolia-api-key", &["algolia"], of(Set::Alnum, 32, 32)),
    token("airtable-personnal-access-token", &["pat"], r"pat[0-9A-Za-z]{14}\.[0-9a-f]{64}"),
    assigned("airtable-api-key", &["airtable"], of(Set::Alnum, 17, 17)),
    token("clickhouse-cloud-api-secret-key", &["4b1d"], r"4b1d[0-9A-Za-z]{38}").entropy(3.5),
    assigned("confluent-access-token", &["confluent"], of(Set::Alnum, 16, 16)),
    assigned("confluent-secret-key", &["confluent"], of(Set::Alnum, 64, 64)),
    // https://docs.databricks.com/dev-tools/auth/pat
    token("databricks-api-token", &["dapi"], r"dapi[0-9a-f]{32}(?:-[0-9])?").entropy(3.0),
    token("planetscale-api-token", &["pscale_tkn_"], r"pscale_tkn_[0-9A-Za-z=_.-]{32,64}").entropy(3.0),
    token("planetscale-oauth-token", &["pscale_oauth_"], r"pscale_oauth_[0-9A-Za-z=_.-]{32,64}").entropy(3.0),
    token("planetscale-password", &["pscale_pw_"], r"pscale_pw_[0-9A-Za-z=_.-]{32,64}").entropy(3.0),
    token("neon-api-key", &["napi_"], r"napi_[0-9a-z]{64}").entropy(3.0),
    token("mapbox-api-token", &["pk.", "sk.", "tk."], r"[pst]k\.[0-9A-Za-z_-]{60,}\.[0-9A-Za-z_-]{22,}").entropy(3.0),
    assigned("maxmind-license-key", &["maxmind"], of(Set::Word, 40, 40)),
    assigned("looker-client-id", &["looker"], of(Set::Alnum, 20, 20)),
    assigned("looker-client-secret", &["looker"], of(Set::Alnum, 24, 24)),
    assigned("rapidapi-access-token", &["rapidapi"], of(Set::Word, 50, 50)),
    assigned("nytimes-access-token", &["nytimes", "newyorktimes", "new-york-times"], of(Set::WordEq, 32, 32)),
    assigned("adafruit-api-key", &["adafruit"], of(Set::Word, 32, 32)),
    token("adafruit-api-key", &["aio_"], r"aio_[0-9A-Za-z]{28}").entropy(3.0),
    token("pinecone-api-key", &["pcsk_"], r"pcsk_[0-9A-Za-z_]{50,}").entropy(3.0),
    assigned("elastic-api-key", &["elastic"], of(Set::Base64, 60, 60)).entropy(4.0),
];
