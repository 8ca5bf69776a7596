// The bar's value is the page's state; the server renders it. A click changes the state at once, so that whatever is
// sent next, by any control, has it.
const openTab = () => {
    const tab = document.querySelector('[role=tab][aria-selected=true]');
    return tab ? tab.dataset.tabId : '';
};
const send = (change, data) => {
    props.value = {...props.value, ...change};
    trigger('input', {tab: openTab(), ...data});
};
// A tab that was opened is drawn, unless that was by a link, which draws it and changes the address. Gradio's own event
// would also come while the page is laid out, and its answer could be lost.
let opened = openTab();
new MutationObserver(() => setTimeout(() => {
    const tab = openTab();
    if (!tab || tab === opened) return;
    opened = tab;
    if (new URLSearchParams(location.search).get('tab') !== tab) send({});
})).observe(document.body, {subtree: true, attributes: true, attributeFilter: ['aria-selected']});
const mark = button => button.parentElement.querySelectorAll('button').forEach(other => {
    const state = button.hasAttribute('aria-checked') ? 'aria-checked' : 'aria-pressed';
    other.setAttribute(state, other === button);
    other.tabIndex = other === button ? 0 : -1;
});
const bring = async file => send({}, {file: await upload(file)});
element.addEventListener('click', async event => {
    const button = event.target.closest('button');
    if (!button) return;
    const {set, model, place, start, vector, tour} = button.dataset;
    if (set || model || place || start) mark(button);
    if (set) send({}, {dataset: set});
    if (model) send({model});
    if (place) send({place});
    if (tour) send({tour: Number(tour)}, {tour: Number(tour)});
    if (start) send({[props.value.place]: start});
    if (vector) send({[props.value.place]: `vector:${vector}`});
    if ('generate' in button.dataset) send({[props.value.place]: `random:${Math.floor(Math.random() * 10000)}`});
    if ('clear' in button.dataset) clear(element.querySelector('canvas'));
    if ('sketch' in button.dataset) element.classList.toggle('sketching');
    if ('copy' in button.dataset) {
        const link = location.href.replace(/([?&])__theme=[^&]*&?/, '$1').replace(/[?&]$/, '');
        try { await navigator.clipboard.writeText(link); button.textContent = 'Copied'; }
        catch { button.textContent = 'It is in the address bar'; }
        setTimeout(() => button.textContent = 'Copy link', 2000);
    }
});
element.addEventListener('change', event => {
    if (event.target.type === 'file' && event.target.files[0]) bring(event.target.files[0]);
    event.target.value = '';
});
document.addEventListener('paste', event => {
    const file = [...event.clipboardData.files].find(file => file.type.startsWith('image/'));
    if (file) bring(file);
});
const reveal = () => {  // the chosen model, in a ladder that scrolls
    const ladder = element.querySelector('.ladder'), rung = ladder && ladder.querySelector('[aria-checked=true]');
    if (rung) ladder.scrollLeft = rung.offsetLeft - (ladder.clientWidth - rung.clientWidth) / 2;
};
watch('value', reveal);
reveal();
document.addEventListener('keydown', event => {
    if (event.key === 'Escape') element.classList.remove('sketching');
});
document.addEventListener('pointerdown', event => {
    if (!event.target.closest('.pad, [data-sketch]')) element.classList.remove('sketching');
});
const clear = canvas => { const pen = canvas.getContext('2d'); pen.fillStyle = '#000'; pen.fillRect(0, 0, 112, 112); };
let last = null;
const at = event => {
    const box = event.target.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * 112, (event.clientY - box.top) / box.height * 112];
};
const line = event => {
    const now = at(event), pen = event.target.getContext('2d');
    pen.strokeStyle = '#fff'; pen.lineWidth = 9; pen.lineCap = 'round';
    pen.beginPath(); pen.moveTo(...last); pen.lineTo(...now); pen.stroke();
    last = now;
};
element.addEventListener('pointerdown', event => {
    if (event.target.tagName !== 'CANVAS') return;
    if (!event.target.drawn) { clear(event.target); event.target.drawn = true; }
    event.target.setPointerCapture(event.pointerId); last = at(event); line(event); event.preventDefault();
});
element.addEventListener('pointermove', event => { if (last) line(event); });
element.addEventListener('pointerup', event => {
    if (!last) return;
    last = null;
    send({}, {picture: event.target.toDataURL('image/png')});
});
const moved = () => {};
