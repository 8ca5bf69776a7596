// Sliders whose value is a dictionary of settings: `mix` joins those that have a number, the others have a name.
const boxes = () => [...element.querySelectorAll('input[data-name]')];
const show = () => {
    const mix = (props.value.mix || '').split(',');
    boxes().forEach(box => {
        const value = box.dataset.name === 'mix' ? mix[box.dataset.place] || 0 : props.value[box.dataset.name];
        if (box !== document.activeElement || box.type === 'range') box.value = value;
    });
};
watch('value', show);
show();
const change = (values, event) => { props.value = {...props.value, ...values}; show(); trigger(event); };
element.addEventListener('input', event => {
    const {name, place} = event.target.dataset;
    if (!name || event.target.value === '' || !event.target.checkValidity()) return;
    if (name !== 'mix') return change({[name]: Number(event.target.value)}, 'input');
    const mix = boxes().filter(box => box.dataset.name === 'mix' && box.type === 'range').map(box => box.value);
    mix[place] = event.target.value;
    change({mix: mix.some(Number) ? mix.join(',') : ''}, 'input');
});
element.addEventListener('change', event => {  // a number out of range becomes the nearest one in it
    const box = event.target;
    if (!box.dataset.name || box.type !== 'number' || box.checkValidity()) return;
    box.value = box.value === '' ? 0 : Math.min(Math.max(box.value, box.min), box.max);
    box.dispatchEvent(new Event('input', {bubbles: true}));
});
const kept = {};  // the sliders of the other basis
element.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (!button) return;
    const {basis, reset} = button.dataset;
    if (basis && basis !== props.value.basis) {
        kept[props.value.basis] = props.value.mix;
        change({basis, mix: kept[basis] || ''}, 'select');
    }
    if (reset !== undefined) change({mix: '', way: 0}, 'clear');
});
const moved = () => {};
