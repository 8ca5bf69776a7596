async (tab, names, values) => {
    const url = new URL(location.href), theme = url.searchParams.get("__theme"), found = {tab};
    names.forEach((name, i) => found[name] = name in found ? `${found[name]},${values[i]}` : `${values[i]}`);
    if (theme) found.__theme = theme;
    url.search = new URLSearchParams(found);
    history.replaceState(null, "", url);
    try { await navigator.clipboard.writeText(url.href); return "<p role=status>The link is copied.</p>"; }
    catch { return "<p role=status>The address bar now holds the link.</p>"; }
}
