use schemars::JsonSchema;
use serde::Serialize;

/// What a `User-Agent` header says, for a person who looks at the list of his sessions.
///
/// Apps know this shape from `ua-parser-js`. It is told from a short table of product names
/// and no pattern database: those take longer to load than a whole sign-in. What is not known
/// is an empty text, and a header that lies is shown as it lies: nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserAgent {
    /// The header itself, its first 512 bytes.
    pub ua: String,
    /// The program.
    pub browser: Browser,
    /// What draws its pages.
    pub engine: Product,
    /// What it runs on.
    pub os: Product,
    /// The machine.
    pub device: Device,
    /// The machine's processor.
    pub cpu: Cpu,
}

/// A program with its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Browser {
    /// Such as `Firefox`.
    pub name: String,
    /// Such as `128.0`.
    pub version: String,
    /// Such as `128`.
    pub major: String,
}

/// A product with its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Product {
    /// Such as `Gecko`.
    pub name: String,
    /// Such as `128.0`.
    pub version: String,
}

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Device {
    /// Such as `iPhone`.
    pub model: String,
    /// `mobile`, `tablet`, or empty for a computer.
    pub r#type: String,
    /// Such as `Apple`.
    pub vendor: String,
}

/// A processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cpu {
    /// `amd64`, `arm64`, `ia32`, or empty.
    pub architecture: String,
}

/// Product tokens and the browsers they mean. The first found wins, so those that name themselves
/// beside another (`Chrome/… Safari/… Edg/…`) stand before it.
const BROWSERS: [(&str, &str); 15] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("curl/", "curl"),
    ("okhttp/", "okhttp"),
    ("node-fetch/", "node-fetch"),
];

impl UserAgent {
    /// The most bytes of a header that are kept.
    pub const MAX_BYTES: usize = 512;

    /// Cuts a header to what is kept of it.
    pub fn clip(header: &str) -> &str {
        &header[..header.floor_char_boundary(Self::MAX_BYTES)]
    }

    /// Reads a header.
    pub fn read(header: &str) -> Self {
        let ua = Self::clip(header);
        Self {
            ua: ua.to_owned(),
            browser: browser(ua),
            engine: engine(ua),
            os: os(ua),
            device: device(ua),
            cpu: cpu(ua),
        }
    }
}

fn browser(ua: &str) -> Browser {
    let known = BROWSERS
        .iter()
        .find_map(|(token, name)| version_after(ua, token).map(|version| (*name, version)));
    // Safari gives its version under a name that others use as well, so it is asked last.
    let safari = || {
        let version = version_after(ua, "Version/")?;
        ua.contains("Safari/").then_some(("Safari", version))
    };
    let (name, version) = known.or_else(safari).unwrap_or_default();
    Browser {
        name: name.to_owned(),
        major: version.split('.').next().unwrap_or_default().to_owned(),
        version,
    }
}

fn engine(ua: &str) -> Product {
    // Chrome left WebKit for Blink with version 28 and kept the old name in the header.
    if let Some(version) = version_after(ua, "Chrome/") {
        return product("Blink", version);
    }
    if let Some(version) = version_after(ua, "AppleWebKit/") {
        return product("WebKit", version);
    }
    match version_after(ua, "rv:") {
        Some(version) if ua.contains("Gecko/") => product("Gecko", version),
        _ => Product::default(),
    }
}

fn os(ua: &str) -> Product {
    let windows = |nt: &str| match nt {
        "10.0" => "10".to_owned(),
        "6.3" => "8.1".to_owned(),
        "6.2" => "8".to_owned(),
        "6.1" => "7".to_owned(),
        other => other.to_owned(),
    };
    if let Some(version) = version_after(ua, "Windows NT ") {
        return product("Windows", windows(&version));
    }
    if let Some(version) = version_after(ua, "Android ") {
        return product("Android", version);
    }
    if let Some(version) = version_after(ua, "iPhone OS ").or_else(|| version_after(ua, "CPU OS "))
    {
        return product("iOS", version);
    }
    if let Some(version) = version_after(ua, "Mac OS X ") {
        return product("macOS", version);
    }
    if ua.contains("CrOS ") {
        return product("Chrome OS", String::new());
    }
    if ua.contains("Linux") {
        return product("Linux", String::new());
    }
    Product::default()
}

fn device(ua: &str) -> Device {
    for (token, kind) in [("iPhone", "mobile"), ("iPad", "tablet"), ("iPod", "mobile")] {
        if ua.contains(token) {
            return machine(token, kind, "Apple");
        }
    }
    if ua.contains("Macintosh") {
        return machine("Macintosh", "", "Apple");
    }
    if ua.contains("Android") {
        let kind = if ua.contains("Mobile") {
            "mobile"
        } else {
            "tablet"
        };
        // `(Linux; Android 14; Pixel 8 Build/…)`: what follows the version is the model.
        let model = ua
            .split_once("Android ")
            .and_then(|(_, rest)| rest.split_once("; "))
            .and_then(|(_, rest)| rest.split([')', ';']).next())
            .map(|model| model.split(" Build/").next().unwrap_or_default())
            .unwrap_or_default();
        let vendor = match model {
            _ if model.starts_with("Pixel") => "Google",
            _ if model.starts_with("SM-") => "Samsung",
            _ => "",
        };
        return machine(model, kind, vendor);
    }
    Device::default()
}

fn cpu(ua: &str) -> Cpu {
    const ARCHITECTURES: [(&str, &str); 8] = [
        ("x86_64", "amd64"),
        ("x64", "amd64"),
        ("WOW64", "amd64"),
        ("amd64", "amd64"),
        ("aarch64", "arm64"),
        ("arm64", "arm64"),
        ("i686", "ia32"),
        ("i386", "ia32"),
    ];
    let known = ARCHITECTURES.iter().find(|(token, _)| ua.contains(token));
    Cpu {
        architecture: known.map_or("", |(_, name)| name).to_owned(),
    }
}

/// The digits, dots and underscores after a token, with dots for underscores.
fn version_after(ua: &str, token: &str) -> Option<String> {
    let (_, rest) = ua.split_once(token)?;
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(rest.len());
    let version = rest[..end].trim_end_matches('.').replace('_', ".");
    (!version.is_empty()).then_some(version)
}

fn product(name: &str, version: String) -> Product {
    Product {
        name: name.to_owned(),
        version,
    }
}

fn machine(model: &str, kind: &str, vendor: &str) -> Device {
    Device {
        model: model.to_owned(),
        r#type: kind.to_owned(),
        vendor: vendor.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Browser, version, engine, system, device type, model, processor.
    fn told(ua: &str) -> [String; 7] {
        let read = UserAgent::read(ua);
        [
            read.browser.name,
            read.browser.major,
            read.engine.name,
            format!("{} {}", read.os.name, read.os.version),
            read.device.r#type,
            read.device.model,
            read.cpu.architecture,
        ]
    }

    #[test]
    fn the_common_browsers_are_told_apart() {
        assert_eq!(
            told(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87"
            ),
            ["Edge", "126", "Blink", "Windows 10", "", "", "amd64"]
        );
        assert_eq!(
            told("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
            ["Firefox", "128", "Gecko", "Linux ", "", "", "amd64"]
        );
        assert_eq!(
            told(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
            ),
            [
                "Safari",
                "17",
                "WebKit",
                "iOS 17.5.1",
                "mobile",
                "iPhone",
                ""
            ]
        );
        assert_eq!(
            told(
                "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UD1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
            ),
            [
                "Chrome",
                "126",
                "Blink",
                "Android 14",
                "mobile",
                "Pixel 8",
                ""
            ]
        );
        assert_eq!(
            told(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15"
            ),
            [
                "Safari",
                "17",
                "WebKit",
                "macOS 10.15.7",
                "",
                "Macintosh",
                ""
            ]
        );
        assert_eq!(told("curl/8.9.1"), ["curl", "8", "", " ", "", "", ""]);
    }

    #[test]
    fn nothing_known_is_empty_and_nothing_breaks() {
        assert_eq!(UserAgent::read(""), UserAgent::default());
        for odd in [
            "Android ",
            "Android 14; ",
            "Chrome/",
            "rv:",
            &"ü".repeat(600),
        ] {
            let read = UserAgent::read(odd);
            assert!(read.ua.len() <= UserAgent::MAX_BYTES);
        }
    }
}
