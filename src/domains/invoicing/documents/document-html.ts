import { escapeHtml, pagePolicy } from '../../../base/shared/html.js';
import type { InvoiceDocument } from '../invoice-document.js';
import { type DocumentText, documentText, type NoteText, type PartyText } from './document-text.js';

/** On paper: black on white, the table's head on each page, no row cut in two. The paper is the printer's, A4 or Letter. */
const STYLE = `:root{color-scheme:light dark;--line:light-dark(#d5d9e0,#3a404b);--dim:light-dark(#545d6b,#a4adbb)}
*{box-sizing:border-box}
body{margin:0 auto;max-width:50rem;padding:2rem 1.25rem 4rem;font:1rem/1.5 "Noto Sans",system-ui,sans-serif;background:light-dark(#fff,#12151a);color:light-dark(#171b21,#e8ebf0);overflow-wrap:anywhere}
header{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:.25rem 1.5rem}
h1{font-size:1.75rem;line-height:1.25;margin:0}h2{font-size:1rem;margin:1.5rem 0 .25rem}
.mark{margin:0;padding:.1rem .75rem;border:2px solid currentcolor;border-radius:.35rem;font-weight:700;letter-spacing:.06em;text-transform:uppercase}
.parties{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:0 2rem;margin:1rem 0}
address{font-style:normal}.role,.detail,dt{color:var(--dim)}.role{margin:0}.detail{display:block;font-size:.85rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.25rem;margin:1rem 0}dt,dd{margin:0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:1.5rem 0 0;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
th,td{padding:.45rem 0 .45rem 1rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--line)}
th:first-child{min-width:11rem;padding-left:0;text-align:left}td{min-width:6rem;overflow-wrap:anywhere}
thead th{border-bottom:2px solid currentcolor}tbody th{font-weight:400}
td:last-child{white-space:nowrap}
tfoot th,tfoot td{border:0;padding-block:.2rem}tfoot th:first-child{text-align:right}tfoot th{font-weight:400}
tfoot .strong th,tfoot .strong td{font-weight:700;font-size:1.1rem}
tfoot tr:first-child th,tfoot tr:first-child td{padding-top:.75rem}
.note p{margin:0;white-space:pre-line}
@page{margin:18mm 16mm}
@media print{:root{color-scheme:light}body{max-width:none;padding:0;font-size:10pt}.scroll{overflow:visible}thead{display:table-header-group}tfoot{display:table-row-group}tr,.note,.parties,dl{break-inside:avoid}a{color:inherit;text-decoration:none}}`;

export const HTML_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': pagePolicy(STYLE),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** The document as one page that needs nothing else: send it with `HTML_HEADERS`, save it, or print it. */
export function documentHtml(document: InvoiceDocument): string {
  const text = documentText(document);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(text.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><h1>${escapeHtml(text.title)}</h1>${text.mark === undefined ? '' : `<p class="mark">${escapeHtml(text.mark)}</p>`}</header>
<div class="parties">${text.parties.map(party).join('')}</div>
<dl>${text.facts.map(([label, value]) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>
<div class="scroll" tabindex="0" role="region" aria-label="Lines">${table(text)}</div>
${text.notes.map(note).join('\n')}
</main>
</body>
</html>
`;
}

function party({ lines, name, role }: PartyText): string {
  const rest = lines.map((line) => `<br>${escapeHtml(line)}`).join('');
  return `<section><p class="role">${escapeHtml(role)}</p><address><strong>${escapeHtml(name)}</strong>${rest}</address></section>`;
}

function table({ columns, rows, sums }: DocumentText): string {
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('');
  const body = rows.map(({ amount, description, detail, quantity }) => {
    const small = detail === '' ? '' : `<span class="detail">${escapeHtml(detail)}</span>`;
    return `<tr><th scope="row">${escapeHtml(description)}${small}</th><td>${escapeHtml(quantity)}</td><td>${escapeHtml(amount)}</td></tr>`;
  });
  const foot = sums.map(({ amount, label, strong }) => {
    const style = strong ? ' class="strong"' : '';
    return `<tr${style}><th scope="row" colspan="2">${escapeHtml(label)}</th><td>${escapeHtml(amount)}</td></tr>`;
  });
  return `<table>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
<tfoot>
${foot.join('\n')}
</tfoot>
</table>`;
}

function note({ heading, link, text }: NoteText): string {
  const address = link === undefined ? '' : `\n<a href="${escapeHtml(link)}">${escapeHtml(link)}</a>`;
  return `<section class="note"><h2>${escapeHtml(heading)}</h2><p>${escapeHtml(text)}${address}</p></section>`;
}
