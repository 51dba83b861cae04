// What `#[derive(Cached)]` makes of this struct and `cache.toml` beside this file.
//
// #[derive(Cached)]
// #[cached(projection = "organization-user")]
// pub struct Membership {
//     #[cached(column = "organization_id")]
//     pub id: i64,
//     pub name: String,
//     pub role: String,
// }

#[automatically_derived]
impl ::cache_runtime::Rows for Membership {
    const MODEL: &'static str = "organization-user";
    const SHAPE: u64 = ::cache_runtime::__private::shape(13500209867110422256u64, &[]);
    const FILE: ::cache_runtime::__private::File = ::cache_runtime::__private::File {
        name: "cache.toml",
        package: ::core::env!("CARGO_PKG_NAME"),
        hash: 208398383380177034u64,
    };
    fn tags(&self, tags: &mut ::cache_runtime::Tags) {
        if ::cache_runtime::Tags::wants(tags, "organization#id") {
            ::cache_runtime::__private::tag(tags, "organization#id", &self.id);
        }
    }
}
