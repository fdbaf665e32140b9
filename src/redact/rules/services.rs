//! Office, design, identity and other online services.

use super::super::rule::{Rule, assigned, near, token};
use super::super::shape::{Set, of, starting};

pub(super) const RULES: &[Rule] = &[
    token("adobe-client-secret", &["p8e-"], r"p8e-[0-9A-Za-z]{32}").entropy(2.0),
    assigned("adobe-client-id", &["adobe"], of(Set::Hex, 32, 32)),
    assigned("asana-client-id", &["asana"], of(Set::Digits, 16, 16)),
    assigned("asana-client-secret", &["asana"], of(Set::Alnum, 32, 32)),
    // https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/
    token("atlassian-api-token", &["atatt3"], r"ATATT3[0-9A-Za-z_=-]{150,}").entropy(3.5),
    assigned("atlassian-api-token", &["atlassian", "confluence", "jira"], of(Set::Alnum, 24, 24)).entropy(3.3),
    assigned("dropbox-api-token", &["dropbox"], of(Set::Alnum, 15, 15)),
    near(
        "dropbox-long-lived-api-token",
        &["aaaaaaaaaa"],
        12,
        60,
        r"(?:^|[^0-9A-Za-z+/=_-])([0-9A-Za-z]{11}AAAAAAAAAA[0-9A-Za-z_=-]{43})(?:[^0-9A-Za-z+/=_-]|$)",
    )
    .entropy(3.0),
    token("dropbox-short-lived-api-token", &["sl."], r"sl\.(?:u\.)?[0-9A-Za-z_=-]{135,}").entropy(3.0),
    token("frameio-api-token", &["fio-u-"], r"fio-u-[0-9A-Za-z_=-]{64}"),
    near("intra42-client-secret", &["s-s4t2ud-", "s-s4t2af-"], 0, 80, r"^s-s4t2(?:ud|af)-[0-9a-f]{64}").entropy(3.0),
    token("linear-api-key", &["lin_api_"], r"lin_api_[0-9A-Za-z]{40}").entropy(2.0),
    assigned("linear-client-secret", &["linear"], of(Set::Hex, 32, 32)).entropy(2.0),
    token("notion-api-token", &["ntn_"], r"ntn_[0-9]{11}[0-9A-Za-z]{35}").entropy(4.0),
    token("notion-api-token", &["secret_"], r"secret_[0-9A-Za-z]{43}").entropy(4.0),
    assigned("okta-access-token", &["okta"], starting("00", Set::WordEq, 42, 42)).entropy(4.0),
    token("postman-api-token", &["pmak-"], r"PMAK-[0-9a-fA-F]{24}-[0-9a-fA-F]{34}").entropy(3.0),
    token("typeform-api-token", &["tfp_"], r"tfp_[0-9A-Za-z_.=-]{59}"),
    assigned("zendesk-secret-key", &["zendesk"], of(Set::Alnum, 40, 40)),
    token("figma-token", &["figd_"], r"figd_[0-9A-Za-z_-]{40,}").entropy(3.0),
    token("contentful-token", &["cfpat-"], r"CFPAT-[0-9A-Za-z_-]{43}").entropy(3.0),
    assigned("contentful-delivery-api-token", &["contentful"], of(Set::WordEq, 43, 43)),
    token("salesforce-token", &["00d"], r"00D[0-9A-Za-z]{12,15}![0-9A-Za-z._]{80,}").entropy(3.5),
    token("clerk-secret-key", &["ak_live_", "ak_test_"], r"ak_(?:live|test)_[0-9A-Za-z]{30,}").entropy(3.0),
    token("wakatime-api-key", &["waka_"], r"waka_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
];
