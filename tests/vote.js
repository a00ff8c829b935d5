// Runs the script of a page of blind pairs with a small stand-in for the browser: always the left one, once back, four stars
// for the first frame, and prints what the page would save. node tests/vote.js PAGE
const fs=require('fs'); const html=fs.readFileSync(process.argv[2],'utf8');
const code=html.split('<script>')[1].split('</script>')[0];
const els={}; function el(){return {hidden:false,textContent:'',src:'',value:'',href:'',children:[],onclick:null,className:'',setAttribute(){},append(...c){this.children.push(...c)},replaceChildren(){this.children=[]}}}
let key; global.document={getElementById:id=>els[id]??=el(),createElement:el,addEventListener:(n,f)=>{key=f}};
global.URL.createObjectURL=()=> 'blob:x'; global.Blob=class{constructor(p){this.p=p}};
eval(code.replace('"use strict";',''));
let n=0; while(!els.vote.hidden && n<500){ key({key: 'ArrowLeft', preventDefault(){}}); n++; if(n==2) key({key:'Backspace',preventDefault(){}}); }
els.grid.children[0].children[1].children[3].onclick();
console.log(els.text.value);
