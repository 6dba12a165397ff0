// HTML walked into blocks; shared by the extractors of HTML, Markdown and mail.
#pragma once

#include <string>
#include <string_view>

#include "indexer/extract/text_builder.h"

namespace sworn::indexer {

/// Adds the visible text of `utf8_html` to `builder`: headings, paragraphs, list items, quotes,
/// code, rows of tables with their header; title, language and author as metadata. Scripts, styles
/// and elements that are hidden (`hidden`, display:none, visibility:hidden) are left out; hidden
/// ones are counted in a warning. `base` is where each block stands. Throws kTooLarge for elements
/// nested deeper than 500.
void AddHtml(std::string_view utf8_html, const BlockDetails& base, TextBuilder& builder);

/// The text of a fragment alone, white space collapsed: "&amp; <b>x</b>" -> "& x".
std::string HtmlFragmentText(std::string_view utf8_html);

/// The charset that a <meta> or an XML prolog near the beginning names; empty if none does.
std::string DeclaredHtmlCharset(std::string_view bytes);

}  // namespace sworn::indexer
