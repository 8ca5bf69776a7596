// The address says what the page shows: a new entry of the browser's history for another tab, model or picture.
const large = ['tab', 'model', 'start', 'second'];
watch('value', () => {
    const before = new URLSearchParams(location.search), after = new URLSearchParams(props.value);
    const theme = before.get('__theme'), query = `?${props.value}${theme ? `&__theme=${theme}` : ''}`;
    if (!props.value || query === location.search) return;
    const isLarge = before.has('tab') && large.some(name => before.get(name) !== after.get(name));
    history[isLarge ? 'pushState' : 'replaceState'](null, '', query);
    // a Space is shown in a frame: its address is the outer page's
    if (parent !== window) parent.postMessage({queryString: query}, 'https://huggingface.co');
});
const visit = () => trigger('select', {query: location.search.slice(1)});
addEventListener('popstate', visit);
// not by an event of Gradio's own, whose answer may come before the parts of the page that it changes
if ([...new URLSearchParams(location.search).keys()].some(name => name !== '__theme')) setTimeout(visit);
